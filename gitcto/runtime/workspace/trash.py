"""Removing by renaming: what goes is out of the way at once, and deleted when there is time.

Whoever deletes may be killed; what is left is found by the next who deletes. Nothing is prepared in
the trash for what is to come: another process could delete it first.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.erase import erase
from gitcto.git.lock import exclusive

if TYPE_CHECKING:
    from pathlib import Path

_LOCK = "lock"
_PAUSE_S = 0.01


def throw(trash: Path, path: Path) -> None:
    """Move ``path`` into the trash, on the same file system. Absent is fine.

    Raises ``CtoError``.
    """
    with storage_errors(f"remove {path}"):
        if not os.path.lexists(path):
            return
        trash.mkdir(parents=True, exist_ok=True)
        target = trash / f"{path.lstat().st_ino:x}.{path.name}"  # no two such are there at a time
        try:
            path.rename(target)
        except PermissionError:  # to be moved, a directory itself must be writable
            if path.is_symlink():
                raise
            path.chmod(0o700)
            path.rename(target)


def empty(trash: Path) -> None:
    """Delete all that is in the trash, also what comes meanwhile; one process at a time.

    Raises ``CtoError`` when something cannot be deleted; everything else is.
    """
    if not waiting(trash):
        return
    problem: CtoError | None = None
    with exclusive(trash / _LOCK):
        kept: set[Path] = set()
        while found := set(waiting(trash)) - kept:
            for path in sorted(found):
                try:
                    _delete(path)
                except CtoError as error:
                    problem = error
                    kept.add(path)
    if problem is not None:
        raise problem


def waiting(trash: Path) -> tuple[Path, ...]:
    """Return what is still to be deleted. Raises ``CtoError``."""
    with storage_errors(f"look into {trash}"):
        if not trash.is_dir():
            return ()
        return tuple(path for path in trash.iterdir() if path.name != _LOCK)


def await_empty(trash: Path, wait_s: float) -> None:
    """Give those who delete up to ``wait_s`` seconds to finish. Never raises."""
    pause = threading.Event()
    with suppress(CtoError):
        for _ in range(int(wait_s / _PAUSE_S)):
            if not waiting(trash):
                return
            pause.wait(_PAUSE_S)


def _delete(path: Path) -> None:
    with storage_errors(f"delete {path}"):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        else:
            erase(path)
