"""What a worker sees of the machine, as mounts: an empty root, and only what is put into it.

The more specific path wins: a room in a hidden directory is there, a hidden directory in one that
may be read is not. Symbolic links on the way to what is shown are there too, as links.
"""

from __future__ import annotations

import os
import shutil
import stat
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.api import ConfineRequest

SYSTEM = tuple(
    map(
        Path,
        (
            "/usr",
            "/bin",
            "/sbin",
            "/lib",
            "/lib32",
            "/lib64",
            "/libx32",
            "/etc",
            "/opt",
            "/nix/store",
            "/gnu/store",
            "/var/lib/ca-certificates",
        ),
    )
)
"""Where systems keep their programs and what these need; all else has to be asked for."""

TEMPORARY = tuple(map(Path, ("/tmp", "/var/tmp", "/dev/shm")))  # noqa: S108  (the worker's own)
"""What a worker gets empty, to write in; it is lost with the worker."""

TEMPORARY_BYTES = 256 << 20
"""How much fits in each: it is memory that no watchdog sees."""

PROXY = "/dev/cto-proxy.sock"
"""Where a worker finds the socket of its proxy; nothing else is ever put there."""

_PROC, _DEV, _ROOT = Path("/proc"), Path("/dev"), Path("/")
_MOST_LINKS = 40


class How(IntEnum):
    """How a path is shown; of two for one path the greater counts."""

    HIDE = 0
    READ = 1
    WRITE = 2
    FIX = 3
    FRESH = 4


_HOST = frozenset({How.READ, How.WRITE, How.FIX})


def mounts(request: ConfineRequest, *, sized: bool) -> list[str]:
    """Return the options of bwrap that make up the worker's view.

    ``sized`` tells whether this bwrap can limit a file system in memory.
    """
    entries, links = _entries(request)
    options: list[str] = []
    shown: dict[Path, How] = {}
    sealed = [_ROOT, _DEV, _PROC]  # root's programs may write to /proc/sys without a capability
    for path, how in sorted(entries.items()):
        around = _around(path, shown)
        if how is How.HIDE and around in _HOST:
            options += _masked(path)
            sealed += [path] if path.is_dir() else []
        elif how is How.FRESH:
            options += _fresh(path, sized=sized)
        elif how is How.WRITE and around is not How.WRITE:
            options += ["--bind", str(path), str(path)]
        elif how is How.FIX or (how is How.READ and around not in _HOST):
            options += ["--ro-bind", str(path), str(path)]
        else:
            continue
        shown[path] = how
    for link, target in links.items():
        if _around(link, shown) not in _HOST:
            options += ["--symlink", target, str(link)]
    if request.proxy is not None:
        options += ["--ro-bind", str(request.proxy), PROXY]
    for path in reversed(sealed):
        options += ["--remount-ro", str(path)]
    return options


def _masked(path: Path) -> list[str]:
    return ["--tmpfs", str(path)] if path.is_dir() else ["--ro-bind", os.devnull, str(path)]


def _fresh(path: Path, *, sized: bool) -> list[str]:
    if path == _PROC:
        return ["--proc", str(path)]
    if path == _DEV:
        return ["--dev", str(path)]
    return [*(("--size", str(TEMPORARY_BYTES)) if sized else ()), "--tmpfs", str(path)]


def _around(path: Path, shown: Mapping[Path, How]) -> How | None:
    """Return how the closest of the directories around a path is shown, None for none."""
    return next((shown[parent] for parent in path.parents if parent in shown), None)


def _entries(request: ConfineRequest) -> tuple[dict[Path, How], dict[Path, str]]:
    """Return how each real path is shown, and the links that lead to one of them."""
    entries = dict.fromkeys((_PROC, _DEV, *TEMPORARY), How.FRESH)
    links: dict[Path, str] = {}
    for path, how in _wanted(request):
        real = resolve(path, links)
        if real is not None:
            entries[real] = max(how, entries.get(real, how))
    return entries, links


def _wanted(request: ConfineRequest) -> Iterator[tuple[Path, How]]:
    hidden = {Path(os.path.realpath(path)) for path in (*request.hides, request.run_dir)}
    program = shutil.which(Path(request.cwd, word)) if "/" in (word := request.argv[0]) else None
    yield from ((path, How.READ) for path in SYSTEM)
    yield from ((path, How.HIDE) for path in hidden)
    if os.geteuid() == 0:
        yield from ((path, How.HIDE) for path in roots_own(Path("/etc")))
    for name in request.env.get("PATH", "").split(os.pathsep):
        tools = Path(os.path.realpath(name))
        if name.startswith("/") and len(tools.parts) > 2 and not _leads_to(tools, hidden):  # noqa: PLR2004  (/tools)
            yield Path(name), How.READ
    if program := program or shutil.which(word, path=request.env.get("PATH", "")):
        yield Path(program), How.READ
    yield from ((path, How.READ) for path in request.reads)
    yield from ((path, How.WRITE) for path in request.writes)
    yield from ((path, How.FIX) for path in request.fixed)


def _leads_to(path: Path, others: set[Path]) -> bool:
    return any(path == other or path in other.parents for other in others)


def resolve(path: Path, links: dict[Path, str]) -> Path | None:
    """Return where an absolute path leads, None when nothing is there; note the ``links`` it takes.

    Each is noted by its own real place, with its target as it stands there.
    """
    at, ahead, met = _ROOT, list(reversed(path.parts[1:])), dict[Path, str]()
    followed = 0
    while ahead:
        part = ahead.pop()
        at, here = (at.parent if part == ".." else at / part), at
        try:
            kind = at.lstat().st_mode
        except OSError:
            return None
        if stat.S_ISLNK(kind):
            target = at.readlink()
            met[at] = str(target)
            followed += 1
            if followed > _MOST_LINKS:
                return None
            ahead += reversed(target.parts)  # the first part of an absolute one is the root
            at = here
    links |= met
    return at


@cache
def roots_own(top: Path) -> tuple[Path, ...]:
    """Return what below a directory not everybody may read.

    A worker of root's could: it owns these files, whatever capabilities it lacks.
    """
    found: list[Path] = []
    waiting = [top]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
                if not stat.S_ISLNK(mode) and mode & needed != needed:
                    found.append(Path(entry.path))
                elif stat.S_ISDIR(mode):
                    waiting.append(Path(entry.path))
    return tuple(found)
