"""Whether a tree of files is what a new checkout would be, and nothing more."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.harvest import GITLINK_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK_BYTES = 512
_OWN = stat.S_IRUSR | stat.S_IWUSR


class Doubt(CtoError):  # noqa: N818  # a verdict, not a fault
    """A tree is not like a new one; ``message`` says in what."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "it is thrown away")


@dataclass(frozen=True, slots=True)
class Expected:
    """What belongs into a tree: ``files`` and ``folders``, relative to it, without submodules."""

    files: frozenset[str]
    folders: frozenset[str]
    submodules: frozenset[str]


def expected(listing: str) -> Expected:
    """Return what ``ls-files --stage -z`` of an index says."""
    files: set[str] = set()
    submodules: set[str] = set()
    for entry in listing.split("\0")[:-1]:
        mode, _, path = entry.partition("\t")
        (submodules if mode.startswith(GITLINK_MODE) else files).add(path)
    folders = {""}
    for path in (*files, *submodules):
        while (path := path.rpartition("/")[0]) not in folders:
            folders.add(path)
    return Expected(frozenset(files), frozenset(folders), frozenset(submodules))


def sweep_out(tree: Path, wanted: Expected, since_ns: int, strays: Path) -> None:
    """Move what does not belong into a tree, and files changed since, to ``strays``.

    ``since_ns`` is a time of the file system (nanoseconds), compared with each ctime,
    which no program can set. Raises ``OSError``.
    """
    moved = 0
    for path, entry in _entries(tree, wanted):
        if entry.is_dir(follow_symlinks=False):
            fine = path in wanted.folders
        else:
            changed_ns = entry.stat(follow_symlinks=False).st_ctime_ns
            fine = path in wanted.files and changed_ns <= since_ns
        if not fine:
            moved += 1
            os.rename(entry.path, strays / str(moved))  # noqa: PTH104


def look_over(tree: Path, wanted: Expected, like: Path) -> int:
    """Return the bytes on disk of a tree with exactly these files; raise :class:`Doubt` otherwise.

    Nothing in it may be more open, have another owner, more links or other attributes than the
    directory ``like``, which we made. What is in the files is not looked at: git does that.
    """
    model = _Model(like)
    size = model.judge(str(tree), tree.lstat())
    files = 0
    for path, entry in _entries(tree, wanted):
        folder = entry.is_dir(follow_symlinks=False)
        if path not in (wanted.folders if folder else wanted.files):
            raise Doubt(f"{path!r} does not belong to it")
        files += not folder
        size += model.judge(entry.path, entry.stat(follow_symlinks=False))
    if files != len(wanted.files):
        raise Doubt(f"{len(wanted.files) - files} files are missing")
    return size


class _Model:
    """What a file or directory of ours looks like."""

    def __init__(self, like: Path) -> None:
        status = like.lstat()
        self._mode = stat.S_IMODE(status.st_mode)
        self._owner = status.st_uid
        self._attributes = _attributes(str(like))

    def judge(self, path: str, status: os.stat_result) -> int:
        mode = stat.S_IMODE(status.st_mode)
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFDIR:
            fine = mode == self._mode
        elif kind == stat.S_IFREG:
            fine = status.st_nlink == 1 and not mode & ~self._mode and mode & _OWN == _OWN
        else:
            fine = kind == stat.S_IFLNK and status.st_nlink == 1
        if not fine:
            raise Doubt(
                f"{path!r} has an odd mode or other names ({stat.filemode(status.st_mode)})"
            )
        if status.st_uid != self._owner or _flags(status):
            raise Doubt(f"{path!r} has another owner or flags")
        if not _attributes(path) <= self._attributes:
            raise Doubt(f"{path!r} has attributes")
        return status.st_blocks * _BLOCK_BYTES


def _flags(status: os.stat_result) -> int:
    """Return what BSD and macOS keep besides the mode, the immutable flag for one."""
    flags: object = getattr(status, "st_flags", None)
    return flags if isinstance(flags, int) else 0


def _attributes(path: str) -> frozenset[str]:
    """Return the names of a file's extended attributes, access lists among them."""
    if not hasattr(os, "listxattr"):
        return frozenset()
    try:
        return frozenset(os.listxattr(path, follow_symlinks=False))
    except OSError:  # the file system has none
        return frozenset()


def _entries(tree: Path, wanted: Expected) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield what is in the folders that belong into a tree, each with its relative path."""
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(tree / folder) as scanned:
            entries = list(scanned)
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if path in wanted.submodules and _is_empty_folder(entry):
                continue
            yield path, entry
            if path in wanted.folders and entry.is_dir(follow_symlinks=False):
                pending.append(path)


def _is_empty_folder(entry: os.DirEntry[str]) -> bool:
    if not entry.is_dir(follow_symlinks=False):
        return False
    with os.scandir(entry.path) as inside:
        return next(inside, None) is None
