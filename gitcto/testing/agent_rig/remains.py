"""What a run left behind: processes, sockets, files. Asserted after each, never assumed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.runtime.worker import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTSIDE = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108  (looked at, not used)
_LISTENING = "00010000"
"""The flag in ``/proc/net/unix`` of a socket that takes connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was there before a run: the files it must not touch, and what lay beside them."""

    files: frozenset[tuple[str, int, int]]
    beside: frozenset[str]


def look(kept: tuple[Path, ...]) -> Before:
    """Remember the files below ``kept`` directories, and what lies in the world's shared ones."""
    files = frozenset(fact for folder in kept for fact in _facts(folder))
    return Before(files=files, beside=frozenset(_beside()))


def remains(root: Path, before: Before, kept: tuple[Path, ...], litter: str) -> list[str]:
    """Return what is left of runs below ``root``, one line each.

    ``litter`` is a word in the names of what a CLI drops into shared directories.
    """
    now = look(kept)
    touched = sorted({fact[0] for fact in now.files ^ before.files})
    dropped = sorted(name for name in now.beside - before.beside if litter in name.lower())
    return [
        *(f"process {pid}: {what}" for pid, what in _processes(root)),
        *(f"socket: {line}" for line in _sockets(root)),
        *(f"file touched outside the room: {path}" for path in touched),
        *(f"file dropped outside the room: {path}" for path in dropped),
    ]


def _processes(root: Path) -> Iterator[tuple[int, str]]:
    """Yield who was started for a run, or still holds something of it; never this process."""
    words = os.fsencode(root)
    living = processes.table()
    own = {os.getpid(), os.getppid()}
    for pid, shown in processes.environments(living).items():
        if pid in own:
            continue
        if any(words in entry for entry in shown):
            yield pid, "it has the run's environment"
        elif any(held.startswith(str(root)) for held in _held(pid)):
            yield pid, "it holds a file of the run"


def _held(pid: int) -> Iterator[str]:
    """Yield where a process stands, and what it has opened."""
    folder = Path(f"/proc/{pid}")
    try:
        links = [folder / "cwd", folder / "root", *(folder / "fd").iterdir()]
    except OSError:
        return
    for link in links:
        try:
            yield str(link.readlink())
        except OSError:
            continue


def _sockets(root: Path) -> Iterator[str]:
    """Yield the sockets below ``root`` that somebody still listens on."""
    try:
        lines = Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        if str(root) in line and line.split()[3] == _LISTENING:
            yield line.split(maxsplit=7)[-1]


def _facts(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in folder.rglob("*"):
        status = path.lstat()
        # git refreshes an index that is only looked at; a worktree's own files are the worker's
        if path.is_dir() or path.name == "index" or "worktrees" in path.parts:
            continue
        yield str(path), status.st_size, status.st_mtime_ns


def _beside() -> Iterator[str]:
    for place in _OUTSIDE:
        try:
            yield from (entry.path for entry in os.scandir(place))
        except OSError:
            continue
