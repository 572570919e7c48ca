"""What a run directory records of its worker, also when its supervisor could not record the end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from gitcto.runtime.worker import capture, run_files
from gitcto.runtime.worker.sweep import sweep
from gitcto.runtime.worker.worker_values import LOST, Exit, Rung, Started
from gitcto.store.heartbeat import Pulse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_started(run_dir: Path) -> Started | None:
    """Return what is recorded of a worker's start, or None."""
    record: Any = run_files.read_record(str(run_dir), run_files.STARTED)
    if not record:
        return None
    launch: Any = run_files.read_record(str(run_dir), run_files.LAUNCH)
    return Started(**record, isolation=launch["isolation"] if launch else {})


def read_exit(run_dir: Path) -> Exit | None:
    """Return what is recorded of a worker's end, or None."""
    record: Any = run_files.read_record(str(run_dir), run_files.EXITED)
    if not record:
        return None
    return Exit(**record | {"ladder": tuple(Rung(**rung) for rung in record["ladder"])})


def record_lost(run_dir: Path) -> Exit:
    """End what a worker left whose supervisor died, and record its end in the supervisor's place.

    The caller holds the lock that its supervisor held.
    """
    started = read_started(run_dir)
    launch: Any = run_files.read_record(str(run_dir), run_files.LAUNCH)
    if not _is_original(run_dir, launch):
        started = None  # the worker of a repository that was copied is that one's
    killed, survivors = sweep(
        marker=f"{run_files.MARKER}={run_dir.resolve()}",
        pid=started.pid if started else 0,
        process_start=started.process_start if started else "",
    )
    detail = f"its supervisor died; {killed} left behind and killed"
    if survivors:
        detail += f"; survivors: {survivors}"
    cut_bytes = _settle_output(run_dir, launch["limits"]) if launch else 0
    if launch and launch["heartbeat"]:
        Pulse(launch["heartbeat"], 0, "").end()
    record = {
        "code": LOST,
        "cause": "lost",
        "detail": detail,
        "wall_s": 0.0,
        "ladder": [],
        "survivors": survivors,
        "cut_bytes": cut_bytes,
    }
    with contextlib.suppress(OSError):  # on a full disk the next who waits finds the same
        run_files.write_record(str(run_dir), run_files.EXITED, record)
    return Exit(code=LOST, cause="lost", detail=detail, survivors=survivors, cut_bytes=cut_bytes)


def _is_original(run_dir: Path, launch: Mapping[str, Any] | None) -> bool:
    """Tell whether a run directory is the one its worker was started from, and no copy of it."""
    return launch is not None and launch.get("inode") == run_dir.stat().st_ino


def _settle_output(run_dir: Path, limits: Mapping[str, Any]) -> int:
    cut = 0
    for name in (run_files.STDOUT, run_files.STDERR):
        with contextlib.suppress(OSError), (run_dir / name).open("r+b") as file:
            cut += capture.settle(file.fileno(), limits["output_bytes"], limits["output_lines"])
    return cut
