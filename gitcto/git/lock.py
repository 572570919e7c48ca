"""One process at a time, by ``flock``: it ends with its holder and leaves no stale state."""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL_S = 0.01


class LockBusy(CtoError):  # noqa: N818  # a state, not a fault
    """Somebody else holds the lock at ``path``."""

    def __init__(self, path: Path, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.path = path


@contextmanager
def exclusive(path: Path, wait_s: float | None = None) -> Iterator[None]:
    """Hold the lock at ``path`` inside the block, among threads as among processes.

    Waits without limit, or ``wait_s`` seconds (0: not at all) and then raises ``LockBusy``. The
    file's directory is made; the file is never deleted, because a deleted lock excludes nobody.
    """
    with storage_errors(f"open the lock {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _acquire(descriptor, path, wait_s)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock at ``path``; nothing is made or waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _acquire(descriptor: int, path: Path, wait_s: float | None) -> None:
    if wait_s is None:
        with storage_errors(f"take the lock {path}"):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        return
    pause = threading.Event()
    for remaining in range(int(wait_s / _POLL_S), -1, -1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if remaining:
                pause.wait(_POLL_S)
        else:
            return
    raise LockBusy(
        path,
        f"another git-cto process holds {path}",
        "wait for it to end, or look for it with `git cto status`",
    )
