"""The host: everything this program knows of its process, read once and in this module only."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PLAIN_COLUMNS = 80


class Host(NamedTuple):
    """Facts about the process that are handed down as values.

    Directories are text here, because importing ``pathlib`` costs 5 ms that `-h` need not pay.
    ``columns`` is the width of the terminal (80 in a pipe), ``search_path`` what ``sys.path`` was,
    ``temporary`` where scratch files may go, ``user`` and ``machine`` who acts and where.
    """

    directory: str
    environ: Mapping[str, str]
    stdin_tty: bool
    stdout_tty: bool
    stderr_tty: bool
    columns: int
    search_path: tuple[str, ...]
    executable: str
    home: str
    temporary: str
    user: str
    machine: str

    @property
    def actor(self) -> str:
        """Who the ledger says did it: ``user@machine``."""
        return f"{self.user}@{self.machine}"

    @property
    def cwd(self) -> Path:
        """The directory that the command runs in."""
        from pathlib import Path

        return Path(self.directory)


def collect() -> Host:
    """Read the process's surroundings. Raises ``CtoError`` when its directory is gone."""
    try:
        directory = os.getcwd()  # noqa: PTH109 - see Host
    except FileNotFoundError as error:
        raise CtoError(
            "the current directory does not exist any more",
            "change to a directory that exists, then run the command again",
            ExitCode.GIT,
        ) from error
    return Host(
        directory=directory,
        environ=dict(os.environ),
        stdin_tty=_is_terminal(sys.stdin),
        stdout_tty=_is_terminal(sys.stdout),
        stderr_tty=_is_terminal(sys.stderr),
        columns=_columns(),
        search_path=tuple(sys.path),
        executable=sys.executable,
        home=os.environ.get("HOME", ""),
        temporary=os.environ.get("TMPDIR") or "/tmp",  # noqa: S108 - mkstemp makes the file
        user=_user(),
        machine=os.uname().nodename or "localhost",
    )


def _columns() -> int:
    stated = os.environ.get("COLUMNS", "")
    if stated.isdecimal() and int(stated):
        return int(stated)
    try:
        return os.get_terminal_size(1).columns or _PLAIN_COLUMNS
    except OSError:
        return _PLAIN_COLUMNS


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
