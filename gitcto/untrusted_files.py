"""Reading what a program that we do not trust has left for us."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import storage_errors

if TYPE_CHECKING:
    from pathlib import Path

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


def _not_regular(path: Path) -> CtoError:
    hint = "let the command write the file itself, not a link or a pipe"
    return CtoError(f"{path.name} is not a regular file", hint, ExitCode.REFUSED)
