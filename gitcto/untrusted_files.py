"""Reading what a program that we do not trust has left for us."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import storage_errors

if TYPE_CHECKING:
    from pathlib import Path


def read_untrusted(path: Path, limit: int) -> bytes | None:
    """Return a regular file's bytes, or None when nothing is there.

    Raises ``CtoError`` for more than ``limit`` bytes and for anything else than a regular file: a
    link could lead to one of the user's, and a pipe would keep us waiting.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with storage_errors(f"read {path}"):
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise CtoError(
                    f"{path.name} is not a regular file",
                    "let the command write the file itself, not a link or a pipe",
                    ExitCode.REFUSED,
                )
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(limit + 1)
    if len(data) > limit:
        message = f"{path.name} has more than {limit} bytes"
        raise CtoError(message, "let the command write less", ExitCode.REFUSED)
    return data
