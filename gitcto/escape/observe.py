"""Looking at the world from outside: what is there, who lives, what leaked.

Nothing here asks the attacker. A trace can only speak against a sandbox, never for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gitcto.escape.world import CANARY, World
from gitcto.runtime.worker import processes

_SMALL = 1 << 20
_BLOCK = 512
_CHASES = 1000

Look = Mapping[str, tuple[object, ...]]
"""Every file, link and directory below a place, with what tells a change of it."""


def look(world: World, ours: Callable[[str], bool]) -> Look:
    """Take a fingerprint of everything but what ``ours`` names, by path relative to the root."""
    seen: dict[str, tuple[object, ...]] = {}
    for directory, names, files in os.walk(world.root):
        for name in (*names, *files):
            relative = _relative(world, directory, name)
            if not ours(relative):
                seen[relative] = _print(Path(directory, name))
        kept = (name for name in names if not ours(_relative(world, directory, name)))
        names[:] = list(kept)
    return seen


def _relative(world: World, directory: str, name: str) -> str:
    return os.path.relpath(os.path.join(directory, name), world.root)  # noqa: PTH118 - many


def changed(before: Look, after: Look, *, may_be_new: Callable[[str], bool]) -> list[str]:
    """Return the paths that differ; what ``may_be_new`` names may have been added."""
    gone_or_other = [path for path, seen in before.items() if after.get(path) != seen]
    added = [path for path in after if path not in before and not may_be_new(path)]
    return sorted([*gone_or_other, *added])


def _print(path: Path) -> tuple[object, ...]:
    try:
        status = path.lstat()
        attributes = _attributes(path)
        common = (status.st_mode, status.st_uid, status.st_gid, attributes)
        if stat.S_ISDIR(status.st_mode):
            return (*common, os.path.ismount(path))
        if stat.S_ISLNK(status.st_mode):
            return (*common, os.readlink(path))  # noqa: PTH115 - bytes as they are
        if stat.S_ISREG(status.st_mode):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            # git freshens the time of an object that it would write and finds there.
            time = 0 if "/objects/" in str(path) else status.st_mtime_ns
            return (*common, digest, status.st_nlink, time)
    except OSError as error:
        return (error.errno,)
    return common


def _attributes(path: Path) -> tuple[tuple[str, bytes], ...]:
    if not hasattr(os, "listxattr"):
        return ()
    names = os.listxattr(path, follow_symlinks=False)
    return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in sorted(names))


def files_below(place: Path) -> Iterator[Path]:
    """Yield every regular file below a directory, following no link."""
    if place.is_symlink():
        return
    for directory, _, names in os.walk(place):
        for name in names:
            path = Path(directory, name)
            try:
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path
            except OSError:
                continue


def leaked(*roots: Path) -> list[str]:
    """Return the files of the attacker's that hold a secret of the user's."""
    found = []
    for path in (each for root in roots for each in files_below(root)):
        try:
            if path.stat().st_size <= _SMALL and CANARY.encode() in path.read_bytes():
                found.append(path.name)
        except OSError:
            continue
    return sorted(found)


def weight(path: Path) -> int:
    """Return the bytes that a file or everything below a directory takes on the disk."""
    found = files_below(path) if path.is_dir() else [path] if path.is_file() else []
    return sum(each.lstat().st_blocks * _BLOCK for each in found)


def survivors(nonce: str, known: set[int]) -> list[processes.Process]:
    """Return the processes that an attack left behind: they carry its mark in their arguments."""
    found = []
    for pid, row in processes.table().items():
        if pid not in known and nonce.encode() in _arguments(pid):
            found.append(row)
    return found


def held(place: Path) -> bool:
    """Tell whether a process holds the lock that an attack took and handed to its children."""
    with _lock(place) as file:
        if file is None:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def end(place: Path, nonce: str, known: set[int]) -> None:
    """End what an attack left behind, also what forks faster than a list is read."""
    for _ in range(_CHASES):
        left = survivors(nonce, known)
        if not left:
            break
        for process in left:
            processes.send(process, signal.SIGKILL)
    with _lock(place) as file:
        if file is not None:
            (place / "scratch" / "tmp" / "held.enough").touch()
            fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def _lock(place: Path) -> Iterator[int | None]:
    try:
        file = os.open(place / "scratch" / "tmp" / "held", os.O_RDWR)
    except OSError:
        yield None
        return
    try:
        yield file
    finally:
        os.close(file)


def stopped(pid: int) -> bool:
    """Tell whether a process was stopped by a signal."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return text[text.rindex(b")") + 2 :].split()[0] == b"T"


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
