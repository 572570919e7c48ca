"""The report files that a gate's command writes: only what it wrote itself is ever read.

A worker can commit a report that says what it likes. So what is there before a command runs is put
out of the way, and put back afterwards; what is there then was written by the command.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import mkdtemp

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.reports.records import MAX_BYTES, ReportError

SCRATCH = "{scratch}"
"""What stands for the gate's scratch directory in its arguments and in paths of reports."""

MAX_FILES = 1000
"""The most files that one report may be spread over."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def report_path_problem(pattern: str) -> str:
    """Return what is wrong with a path of reports, or nothing.

    It is relative to the tree, or begins with ``{scratch}/``; its parts may hold ``*``, ``?`` and
    ``[…]``.
    """
    parts = pattern.removeprefix(f"{SCRATCH}/").split("/")
    if not all(parts) or {".", ".."} & set(parts) or "{" in parts[0] or "\0" in pattern:
        return "give a path inside the tree, or one that begins with {scratch}/"
    return ""


class ReportFiles:
    """Reports at ``patterns`` in the files ``tree`` or in ``scratch``, a private directory."""

    def __init__(self, patterns: Sequence[str], tree: Path, scratch: Path) -> None:
        self._places = [_place(pattern, tree, scratch) for pattern in patterns]
        self._scratch = scratch

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Have no report there when the block begins, and afterwards what was there before.

        Raises ``CtoError``.
        """
        with storage_errors("put an old report out of the way"):
            aside = Path(mkdtemp(prefix="old-reports.", dir=self._scratch))
            moved = [(path, aside / str(number)) for number, path in enumerate(self._found())]
            for path, kept in moved:
                path.rename(kept)
        try:
            yield
        finally:
            with storage_errors("put an old report back"):
                for path in self._found():
                    if not stat.S_ISDIR(path.lstat().st_mode):
                        path.unlink()
                for path, kept in moved:
                    if os.path.lexists(kept) and not os.path.lexists(path):
                        kept.rename(path)

    def read(self) -> Mapping[str, bytes]:
        """Return what the command wrote, by path. Inside :meth:`fresh` only.

        Raises ``ReportError`` for what is no regular file, too large or too many.
        """
        found, size = {}, 0
        for path in self._found():
            data = _read(path)
            size += len(data)
            if size > MAX_BYTES:
                raise ReportError(f"is longer than {MAX_BYTES >> 20} MiB")
            found[str(path)] = data
        return found

    def _found(self) -> list[Path]:
        found = dict.fromkeys(path for top, parts in self._places for path in _matches(top, parts))
        if len(found) > MAX_FILES:
            raise ReportError(f"is spread over more than {MAX_FILES} files")
        return list(found)


def _place(pattern: str, tree: Path, scratch: Path) -> tuple[Path, list[str]]:
    problem = report_path_problem(pattern)
    if problem:
        raise CtoError(f"{pattern!r} is no path of a report", problem)
    inside = pattern.removeprefix(f"{SCRATCH}/")
    return (tree if inside == pattern else scratch), inside.split("/")


def _matches(top: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Yield what matches below a directory; no link is followed on the way."""
    try:
        names = sorted(entry.name for entry in top.iterdir() if fnmatchcase(entry.name, parts[0]))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        path = top / name
        if len(parts) == 1:
            yield path
        elif stat.S_ISDIR(path.lstat().st_mode):
            yield from _matches(path, parts[1:])


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise ReportError(f"cannot be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ReportError("is no regular file")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise ReportError(f"is longer than {MAX_BYTES >> 20} MiB")
    return data
