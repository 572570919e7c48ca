"""The host: everything this program knows of its process, read once and in this module only."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Facts about the process that are handed down as values.

    ``columns`` is the width of the terminal (80 in a pipe), ``search_path`` what ``sys.path`` was,
    ``temporary`` where scratch files may go, ``user`` and ``machine`` who acts and where.
    """

    cwd: Path
    environ: Mapping[str, str]
    stdin_tty: bool
    stdout_tty: bool
    stderr_tty: bool
    columns: int
    search_path: tuple[str, ...]
    executable: str
    home: Path | None
    temporary: Path
    user: str
    machine: str

    @property
    def actor(self) -> str:
        """Who the ledger says did it: ``user@machine``."""
        return f"{self.user}@{self.machine}"


def collect() -> Host:
    """Read the process's surroundings. Raises ``CtoError`` when its directory is gone."""
    try:
        cwd = Path.cwd()
    except FileNotFoundError as error:
        raise CtoError(
            "the current directory does not exist any more",
            "change to a directory that exists, then run the command again",
            ExitCode.GIT,
        ) from error
    home = os.environ.get("HOME", "")
    return Host(
        cwd=cwd,
        environ=dict(os.environ),
        stdin_tty=_is_terminal(sys.stdin),
        stdout_tty=_is_terminal(sys.stdout),
        stderr_tty=_is_terminal(sys.stderr),
        columns=shutil.get_terminal_size().columns,
        search_path=tuple(sys.path),
        executable=sys.executable,
        home=Path(home) if home else None,
        temporary=Path(tempfile.gettempdir()),
        user=_user(),
        machine=os.uname().nodename or "localhost",
    )


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    try:
        return bool(isatty and isatty())
    except ValueError:  # closed by whoever started us
        return False


def _user() -> str:
    name = os.environ.get("USER") or os.environ.get("LOGNAME")
    if name:
        return name
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run us under a number nobody named
        return f"uid{os.getuid()}"
