"""One orchestrator per team and clone; the second one is told who the first is."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors
from gitcto.git.lock import LockBusy, exclusive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitcto.runtime.host.layout import Layout

LOCK_WAIT_S = 2.0
"""How long to wait for the run lock (seconds): a killed run's last child may hold it a moment."""


@contextmanager
def alone(layout: Layout, actor: str, now_ms: int) -> Iterator[None]:
    """Hold the team's run lock, and say in it by whom. Raises ``LockBusy`` that names the holder.

    The name in the file is for people; whether the lock is held, only the lock itself tells.
    """
    path = layout.run_lock
    try:
        with exclusive(path, wait_s=LOCK_WAIT_S):
            since = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            with storage_errors(f"write {path}"):
                path.write_text(f"{actor}, pid {os.getpid()}, since {since}\n", encoding="utf-8")
            yield
    except LockBusy as busy:
        if busy.path != path:
            raise
        raise LockBusy(
            path,
            f"team {layout.team} is run in this clone already: {_named(path)}",
            "watch it with `git cto status`; `git cto stop` ends its workers and then the run",
        ) from None


def _named(path: Path) -> str:
    try:
        named = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        named = ""
    return named or "it has just begun"
