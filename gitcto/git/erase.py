"""Deleting a tree that somebody may have made hard to delete."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

_LONG = 2000
"""Directories whose path is this long leave their tree first: systems refuse much longer ones."""


def erase(root: Path) -> None:
    """Delete a directory tree, however deep, and also where its directories are locked.

    Links are removed, never followed; what is gone already is fine. Parts of a very deep tree are
    moved beside ``root`` on the way, to its name and a number: who is killed leaves them there.
    Raises ``OSError``.
    """
    pending = [str(root)]
    lifted = 0
    while pending:
        directory = pending[-1]
        below = _empty(directory)
        for place, path in enumerate(below):
            if len(path) > _LONG:
                lifted += 1
                below[place] = f"{root}.{lifted}"
                _unlock(path)
                os.rename(path, below[place])  # noqa: PTH104
        if below:
            pending += below
        else:
            _insisting(os.rmdir, directory)
            pending.pop()


def _empty(directory: str) -> list[str]:
    """Remove a directory's files and links; return the directories in it."""
    below = []
    for entry in _insisting(_scan, directory) or ():
        if entry.is_dir(follow_symlinks=False):
            below.append(entry.path)
        else:
            _insisting(os.unlink, entry.path)
    return below


def _scan(directory: str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        return list(entries)


def _insisting(action: Callable[[str], T], path: str) -> T | None:
    """Do something to a path, if need be after unlocking it, or the directory that it is in."""
    try:
        return action(path)
    except FileNotFoundError:
        return None
    except PermissionError:
        _unlock(path if action is _scan else os.path.dirname(path))  # noqa: PTH120
        return action(path)


def _unlock(directory: str) -> None:
    os.chmod(directory, stat.S_IRWXU)  # noqa: PTH101
