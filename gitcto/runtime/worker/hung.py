"""Ending workers whose supervisor may not answer any more: stopped, or stuck in the kernel."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from gitcto.runtime.worker import processes
from gitcto.runtime.worker.workers import Exit, observe, request_stop, wait

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.effects import Effects

_LOOK_S = 0.05


def cut_off(run_dir: Path) -> None:
    """Kill a supervisor, so that whoever waits for its worker ends the tree in its place.

    Nobody is killed whose pid and start are not those that the supervisor recorded itself.
    """
    seen = observe(run_dir)
    if not seen.alive or seen.started is None:
        return
    row = processes.census().get(seen.started.supervisor_pid)
    if row is not None and row.start == seen.started.supervisor_start:
        processes.send(row, signal.SIGKILL)


def end(run_dir: Path, effects: Effects, patience_s: float) -> Exit:
    """Ask for the end of a worker, and see to it after ``patience_s`` seconds.

    Returns once its whole tree is gone.
    """
    if observe(run_dir).alive:
        request_stop(run_dir)
    deadline = effects.monotonic_s() + patience_s
    while observe(run_dir).alive and effects.monotonic_s() < deadline:
        effects.pause(_LOOK_S)
    cut_off(run_dir)
    return wait(run_dir)
