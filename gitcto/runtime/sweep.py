"""Find and end what a worker left behind when its supervisor was killed."""

from __future__ import annotations

import os
import signal
import time

from gitcto.runtime import processes

SWEEP_S = 10.0
PAUSE_S = 0.005


def sweep(*, marker: str, pid: int, process_start: str) -> tuple[int, int]:
    """Kill what provably belongs to a worker; return how many were killed and how many survived.

    Proof is the worker's own pid with its start, its session as long as it lives, the ``marker``
    (``NAME=value``) in a process's environment, or descent from one of these. A session whose
    leader is gone proves nothing: its number may be another's by now. A process that emptied its
    environment *and* lost its parents and its session's leader is not found.
    """
    killed: set[tuple[int, str]] = set()
    sessions: set[int] = set()
    deadline = time.monotonic() + SWEEP_S
    while True:
        rows = processes.table()
        rows.pop(os.getpid(), None)
        own = {pid} if pid in rows and rows[pid].start == process_start else set()
        sessions |= own
        found = _belonging(rows, marker, own, sessions)
        if not found:
            return len(killed), 0
        for process in found.values():
            if processes.send(process, signal.SIGKILL):
                killed.add((process.pid, process.start))
        if time.monotonic() > deadline:
            return len(killed), len(found)
        time.sleep(PAUSE_S)


def _belonging(
    rows: dict[int, processes.Process], marker: str, own: set[int], sessions: set[int]
) -> dict[int, processes.Process]:
    # Its own pid as well: let go a moment ago, it may have neither its session nor its environment.
    proved = processes.marked(os.fsencode(marker), rows) | own
    proved |= {pid for pid, row in rows.items() if row.session in sessions or row.group in sessions}
    return {pid: rows[pid] for pid in proved} | processes.descendants(proved, rows)
