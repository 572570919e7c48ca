"""Files in a directory that a program can write which we do not trust."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import storage_errors, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_FILE = (errno.ELOOP, errno.ENXIO)
"""What opening a link, and a socket, says."""


def read_untrusted(path: Path, limit: int) -> bytes | None:
    """Return a regular file's bytes, or None when nothing is there.

    Raises ``CtoError`` for more than ``limit`` bytes and for anything else than a regular file: a
    link could lead to one of the user's, and a pipe would keep us waiting.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with storage_errors(f"read {path}"):
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            raise _not_regular(path) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _not_regular(path)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(limit + 1)
        finally:
            os.close(descriptor)
    if len(data) > limit:
        message = f"{path.name} has more than {limit} bytes"
        raise CtoError(message, "let the command write less", ExitCode.REFUSED)
    return data


def write_below(root: Path, path: str, data: bytes) -> None:
    """Write a file below a directory in one step, whatever had its name, and through no link.

    Raises ``CtoError``, also when a directory on the way is not there.
    """
    *folders, name = path.split("/")
    fresh = f".{name}.new"
    with storage_errors(f"write {path}"), opened_below(root, *folders) as folder:
        with suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=folder)
        descriptor = os.open(fresh, _NEW, 0o600, dir_fd=folder)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
        os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)


def remove_below(root: Path, path: str) -> None:
    """Remove a file below a directory, through no link; one that is gone is fine.

    Raises ``CtoError``, also when a directory on the way is not there.
    """
    *folders, name = path.split("/")
    with (
        storage_errors(f"remove {path}"),
        opened_below(root, *folders) as folder,
        suppress(FileNotFoundError),
    ):
        os.unlink(name, dir_fd=folder)


@contextmanager
def opened_below(root: Path, *folders: str) -> Iterator[int]:
    """Open a directory below another one, and no link on the way to it. Raises ``OSError``."""
    opened = [os.open(root, _DIRECTORY)]
    try:
        for part in folders:
            opened.append(os.open(part, _DIRECTORY, dir_fd=opened[-1]))
        yield opened[-1]
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _not_regular(path: Path) -> CtoError:
    hint = "let the command write the file itself, not a link or a pipe"
    return CtoError(f"{path.name} is not a regular file", hint, ExitCode.REFUSED)
