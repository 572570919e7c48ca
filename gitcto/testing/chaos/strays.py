"""Processes that were started for a scratch repository, told by their environment."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from gitcto.runtime.worker import processes, run_files

if TYPE_CHECKING:
    from pathlib import Path


def strays(root: Path) -> dict[int, processes.Process]:
    """Return the processes that were started for what lies below ``root`` and still live."""
    rows = processes.table()
    rows.pop(os.getpid(), None)
    ours = tuple(os.fsencode(f"{name}={root}/") for name in ("HOME", run_files.MARKER))
    shown = processes.environments(rows)
    return {
        pid: rows[pid]
        for pid, entries in shown.items()
        if any(each.startswith(ours) for each in entries)
    }


def end_all(root: Path) -> None:
    """Kill what was started for what lies below ``root``."""
    for process in strays(root).values():
        processes.send(process, signal.SIGKILL)
