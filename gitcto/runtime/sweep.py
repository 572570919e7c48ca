"""Find and end what a worker left behind when its supervisor was killed."""

from __future__ import annotations

import os
import signal
import time

from gitcto.runtime import processes

SWEEP_S = 10.0
PAUSE_S = 0.005
PATIENCE = 20
"""How often to look again while somebody shows no environment: it may be amid an ``exec``."""


def sweep(*, marker: str, pid: int, process_start: str) -> tuple[int, int]:
    """Kill what provably belongs to a worker; return how many were killed and how many survived.

    Proof is the worker's own pid with its start, its session as long as it lives, the ``marker``
    (``NAME=value``) in a process's environment, or descent from one of these. A session whose
    leader is gone proves nothing: its number may be another's by now. A process that emptied its
    environment *and* lost its parents and its session's leader is not found.
    """
    killed: set[tuple[int, str]] = set()
    sessions: set[int] = set()
    deadline, patience = time.monotonic() + SWEEP_S, PATIENCE
    while True:
        rows = processes.table()
        rows.pop(os.getpid(), None)
        shown = processes.environments(rows)
        proved = {each for each, entries in shown.items() if os.fsencode(marker) in entries}
        if pid in rows and rows[pid].start == process_start:
            proved.add(pid)  # let go a moment ago, it may have neither session nor environment
            sessions.add(pid)
        found = _belonging(rows, proved, sessions)
        if not found:
            patience -= 1
            if patience < 0 or [b""] not in shown.values():
                return len(killed), 0
        for process in found.values():
            if processes.send(process, signal.SIGKILL):
                killed.add((process.pid, process.start))
        if time.monotonic() > deadline:
            return len(killed), len(found)
        time.sleep(PAUSE_S)


def _belonging(
    rows: dict[int, processes.Process], proved: set[int], sessions: set[int]
) -> dict[int, processes.Process]:
    same = {pid for pid, row in rows.items() if row.session in sessions or row.group in sessions}
    proved = proved | same
    return {pid: rows[pid] for pid in proved} | processes.descendants(proved, rows)
