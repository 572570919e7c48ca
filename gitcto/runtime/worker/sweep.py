"""Find and end what a worker left behind when its supervisor was killed."""

from __future__ import annotations

import os
import signal
import time

from gitcto.runtime.worker import processes

SWEEP_S = 10.0
PAUSE_S = 0.005
PATIENCE = 20
"""How often to look again while anybody shows no environment, which not only an ``exec`` does."""

EXEC_S = 3.0
"""How long an ``exec`` may take on a busy machine: until then who is younger than the worker, and
shows no environment, may still prove to be its own (seconds)."""

_KERNEL = 2  # the parent of the kernel's own threads on Linux


def sweep(*, marker: str, pid: int, process_start: str) -> tuple[int, int]:
    """Kill what provably belongs to a worker; return how many were killed and how many survived.

    Proof is the worker's own pid with its start, its session as long as it lives, the ``marker``
    (``NAME=value``) in a process's environment, or descent from one of these. A session whose
    leader is gone proves nothing: its number may be another's by now. A process that emptied its
    environment *and* lost its parents and its session's leader is not found.
    """
    killed: set[tuple[int, str]] = set()
    sessions: set[int] = set()
    began, patience = time.monotonic(), PATIENCE
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
            silent = [rows[each] for each, entries in shown.items() if entries == [b""]]
            young = any(_may_be_amid_exec(row, process_start) for row in silent)
            over = time.monotonic() - began > EXEC_S if young else patience < 0
            if over or not silent:
                return len(killed), 0
        for process in found.values():
            if processes.send(process, signal.SIGKILL):
                killed.add((process.pid, process.start))
        if time.monotonic() - began > SWEEP_S:
            return len(killed), len(found)
        time.sleep(PAUSE_S)


def _may_be_amid_exec(row: processes.Process, since: str) -> bool:
    return _KERNEL not in (row.pid, row.parent) and _ticks(row.start) >= _ticks(since)


def _ticks(start: str) -> int:
    """Return when a process started, where its stamp says so in a number that grows; else 0."""
    ticks = start.rpartition(":")[2]
    return int(ticks) if ticks.isdigit() else 0


def _belonging(
    rows: dict[int, processes.Process], proved: set[int], sessions: set[int]
) -> dict[int, processes.Process]:
    same = {pid for pid, row in rows.items() if row.session in sessions or row.group in sessions}
    proved = proved | same
    return {pid: rows[pid] for pid in proved} | processes.descendants(proved, rows)
