"""What of a worker on this machine can be seen to live: its supervisor, its processes, its files.

Nothing here asks a clock. See :mod:`gitcto.model.vigil` for what is made of it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.model.lease_events import Signs
from gitcto.runtime.worker import processes, run_files
from gitcto.runtime.worker.workers import observe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitcto.runtime.host.context import Context


def heartbeats(context: Context) -> dict[str, int]:
    """Return each execution's last heartbeat as it was written; none where they cannot be read.

    For the loop's thread, which the ledger belongs to.
    """
    with suppress(CtoError):
        return context.ledger.beats()
    return {}


def signs_of(context: Context, run: str, place: str, beat_ms: int, *, files: bool) -> Signs:
    """Look at a worker. With ``files`` at the files of its room too, which takes time."""
    records = context.layout.records(run)
    seen = observe(records)
    tree: dict[int, processes.Process] = {}
    if seen.alive and seen.started is not None:
        rows = processes.census()
        supervisor = rows.get(seen.started.supervisor_pid)
        if supervisor is not None and supervisor.start == seen.started.supervisor_start:
            tree = processes.descendants({supervisor.pid}, rows)
    return Signs(
        supervised=seen.alive,
        beat_ms=beat_ms,
        cpu=_used(tree),
        processes=len(tree),
        output=sum(map(_size, (records / run_files.STDOUT, records / run_files.STDERR))),
        written_ns=_newest(context.layout.room(place)) if files else 0,
    )


def _used(tree: dict[int, processes.Process]) -> str:
    """Return the CPU time of a tree: ticks in all on Linux, else what the system says of each."""
    words = [word for pid in sorted(tree) for word in tree[pid].cpu.split()]
    return str(sum(map(int, words))) if all(map(str.isdigit, words)) else " ".join(words)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _newest(room: Path) -> int:
    """Return the newest time of anything in a room (nanoseconds); at least 1."""
    return max(_times(str(room)), default=1)


def _times(directory: str) -> Iterator[int]:
    with suppress(OSError), os.scandir(directory) as found:
        for entry in found:
            with suppress(OSError):
                yield entry.stat(follow_symlinks=False).st_mtime_ns
                if entry.is_dir(follow_symlinks=False):
                    yield from _times(entry.path)
