"""Durable files, and the one place where an operating system error becomes a ``CtoError``."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.erase import erase

if TYPE_CHECKING:
    from collections.abc import Iterator

_HINTS = {
    errno.ENOSPC: "free some disk space and run the command again; nothing was lost",
    errno.EDQUOT: "free some of your disk quota and run the command again; nothing was lost",
    errno.EFBIG: "allow larger files (ulimit -f) and run the command again; nothing was lost",
    errno.EROFS: "mount the file system writable and run the command again",
    errno.EACCES: "make the path writable for this user and run the command again",
    errno.EPERM: "make the path writable for this user and run the command again",
    errno.EMFILE: "raise the limit of open files (ulimit -n) and run the command again",
    errno.EIO: "check the disk (dmesg, smartctl), then run `git fsck`",
}


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a ``CtoError`` naming what was being done."""
    try:
        yield
    except OSError as error:
        raise explain(error, doing) from error


def explain(error: OSError, doing: str) -> CtoError:
    """Return what to tell a person about an ``OSError``, and what to do about it."""
    reason = error.strerror or str(error)
    where = f" ({error.filename})" if error.filename else ""
    hint = _HINTS.get(error.errno or 0, "check the path and run the command again")
    return CtoError(f"cannot {doing}: {reason}{where}", hint, ExitCode.GIT)


def sync_directory(path: str | Path) -> None:
    """Make the names in a directory survive a power cut (``OSError`` when that fails)."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte to an open file (a full disk may shorten a single write)."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def replace_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` in one step: readers see the old bytes or the new ones."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def discard(path: Path) -> None:
    """Remove a directory tree, also one whose directories a worker made unwritable.

    It is renamed first, so that a half-removed tree never stands under the old name; calling it
    again finishes an interrupted removal. Links are removed, never followed. Absent is fine.
    """
    doomed = path.with_name(f".{path.name}.removing")
    with storage_errors(f"remove {path}"):
        if doomed.exists():
            erase(doomed)
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            path.rename(doomed)
            erase(doomed)
