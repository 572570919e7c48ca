"""Which paths a worker may read: the system's programs and what was asked for, but nothing hidden.

Landlock knows what is allowed, not what is forbidden: to hide a directory in one that may be read,
everything beside the way to it is allowed instead. What is made beside it later is hidden too.
"""

from __future__ import annotations

import os
import stat
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/proc"),
    *("/nix/store", "/gnu/store", "/var/lib/ca-certificates"),
)
SYSTEM = tuple(map(Path, _SYSTEM))
"""Where systems keep their programs and what these need; all else has to be asked for."""

CROWD = 500
"""A directory with more entries than this on the way to a hidden one is hidden altogether."""


def readable(
    hides: Iterable[Path], reads: Iterable[Path], search_path: Iterable[Path]
) -> tuple[Path, ...]:
    """Return what may be read, each with all below it.

    The more specific path wins: ``reads`` in a hidden directory can be read, hidden directories in
    ``reads`` or among the system's cannot. Directories of the ``search_path`` for programs are
    readable unless something hidden is in them. All paths are absolute and without symbolic links.
    """
    hidden = frozenset(hides)
    taboo = frozenset(path for path in hidden if not _leads_to(path, SYSTEM))
    tools = (path for path in search_path if not _leads_to(path, hidden | {Path("/usr")}))
    granted = list(_beside(SYSTEM, taboo))
    for path in (*reads, *tools):
        granted += _beside((path,), frozenset(one for one in hidden if path in one.parents))
    return tuple(dict.fromkeys(granted))


@cache
def closed_to_others(top: Path) -> tuple[Path, ...]:
    """Return what below a directory not everybody may read; a worker of root's could, as its owner.

    Looked for once in a process, because it takes long. Raises ``OSError`` when the directory
    cannot be listed.
    """
    found: list[Path] = []
    pending = [str(top)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                try:
                    mode = entry.stat(follow_symlinks=False).st_mode
                except FileNotFoundError:
                    continue
                needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
                if not stat.S_ISLNK(mode) and mode & needed != needed:
                    found.append(Path(entry.path))
                elif stat.S_ISDIR(mode):
                    pending.append(entry.path)
    return tuple(found)


def _leads_to(path: Path, others: Iterable[Path]) -> bool:
    return any(path == other or path in other.parents for other in others)


def _beside(starts: tuple[Path, ...], hidden: frozenset[Path]) -> Iterator[Path]:
    on_the_way = {parent for path in hidden for parent in path.parents}
    pending = list(starts)
    while pending:
        path = pending.pop()
        if path in hidden:
            continue
        if path not in on_the_way:
            yield path
        else:
            pending += _entries(path)


def _entries(directory: Path) -> list[Path]:
    """Return what a directory holds; nothing when it is a crowd, or cannot be listed."""
    try:
        with os.scandir(directory) as entries:
            found = [Path(entry.path) for entry in entries if not entry.is_symlink()]
    except OSError:
        return []
    return found if len(found) <= CROWD else []
