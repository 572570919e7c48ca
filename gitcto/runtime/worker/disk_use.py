"""How much a worker has on disk: a cheap look often, an exact walk when that look is alarming.

The free space of the file system is asked at each look. Only when more of it has gone since the
last walk than the worker had left, or now and then, are its directories walked. A walk is made in
slices, so that nothing else has to wait for it, and its results are sizes only: nothing is opened
but directories, and no link is followed.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH116, PTH208

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SLICE_S = 0.02
"""How long one step of a walk takes."""

EVERY_S = 30.0
"""How long no walk is made while nothing alarms."""

REST = 50
REST_ALARMED = 2
"""How many times its own duration passes after a walk: until the next, until the next alarm."""

ENTRY_BYTES = 512
"""What each file costs beside its blocks, so that empty ones count too."""

DEEPEST = 256
"""Directories nested deeper are not looked into; neither are those we may not read."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STEP = 64
_BLOCK = 512  # the unit of st_blocks


class DiskUse:
    """What lies below ``directories``, held against ``limit`` bytes.

    What cannot be looked into counts as all that the file systems have grown since the start.
    """

    def __init__(self, directories: list[str], limit: int, now: float) -> None:
        self._directories = directories
        self.limit = limit
        opened = [os.open(path, _DIRECTORY) for path in directories]  # may be removed later
        self._places = list({os.fstat(place).st_dev: place for place in opened}.values())
        self._used_at_start = self._used_then = self._used()
        self._left = limit // 2  # nothing is known yet
        self._sum = 0
        self._blind = False
        self._walk: Iterator[int] | None = None
        self._walked = self._rested = now
        self._cost = 0.0

    @property
    def walking(self) -> bool:
        """Whether a walk is under way, so that the next look should come at once."""
        return self._walk is not None

    def exceeds(self, now: float, census: Callable[[], Iterable[int]]) -> bool:
        """Look, or continue to walk; return whether the limit is known to be exceeded.

        :param census: tells the worker's processes, some of which may hold files without a name.
        """
        if self._walk is None:
            if not self._alarming(now) and now - self._walked < max(EVERY_S, REST * self._cost):
                return False
            self._used_then = self._used()
            self._sum, self._blind, self._cost = 0, False, 0.0
            self._walk = self._sizes(tuple(census()))
        return self._continue(self._walk, now)

    def _alarming(self, now: float) -> bool:
        return now >= self._rested and self._used() - self._used_then >= self._left

    def _continue(self, walk: Iterator[int], now: float) -> bool:
        began = time.monotonic()
        for number, size in enumerate(walk, start=1):
            self._sum += size
            if self._sum > self.limit:
                return True
            if number % _STEP == 0 and time.monotonic() - began > SLICE_S:
                self._cost += time.monotonic() - began
                return False
        self._cost += time.monotonic() - began
        self._walked = now
        self._rested = now + self._cost * REST_ALARMED
        self._walk = None
        if self._blind:
            self._sum = max(self._sum, self._used_then - self._used_at_start)
        self._left = self.limit - self._sum
        return self._left < 0

    def _used(self) -> int:
        """Return how much is used of the file systems that the directories lie on."""
        total = 0
        for found in map(os.fstatvfs, self._places):
            total += (found.f_blocks - found.f_bfree) * found.f_frsize
            total += (found.f_files - found.f_ffree) * ENTRY_BYTES
        return total

    def _sizes(self, pids: tuple[int, ...]) -> Iterator[int]:
        seen: set[tuple[int, int]] = set()
        for pid in pids:
            yield from _nameless(pid, seen)
        for path in self._directories:
            try:
                top = os.open(path, _DIRECTORY)
            except OSError:
                self._blind = True
            else:
                yield from self._below(top, seen, 0)

    def _below(self, directory: int, seen: set[tuple[int, int]], depth: int) -> Iterator[int]:
        """Yield the sizes of all entries below an open directory, and close it."""
        try:
            inner: list[str] = []
            with os.scandir(directory) as entries:
                for entry in entries:
                    yield _size(entry, seen)
                    if entry.is_dir(follow_symlinks=False):
                        inner.append(entry.name)
            for name in inner:
                below = self._open(directory, name, depth)
                if below is not None:
                    yield from self._below(below, seen, depth + 1)
        except OSError:
            self._blind = True
        finally:
            os.close(directory)

    def _open(self, directory: int, name: str, depth: int) -> int | None:
        try:
            if depth < DEEPEST:
                return os.open(name, _DIRECTORY, dir_fd=directory)
        except (FileNotFoundError, NotADirectoryError):
            return None  # removed, or replaced, meanwhile
        except OSError:
            pass
        self._blind = True
        return None


def _size(entry: os.DirEntry[str], seen: set[tuple[int, int]]) -> int:
    """Return what an entry takes; of several names for one file only the first counts."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    return _once(found, seen)


def _once(found: os.stat_result, seen: set[tuple[int, int]]) -> int:
    if found.st_nlink != 1:
        if (found.st_dev, found.st_ino) in seen:
            return ENTRY_BYTES
        seen.add((found.st_dev, found.st_ino))
    return found.st_blocks * _BLOCK + ENTRY_BYTES


def _nameless(pid: int, seen: set[tuple[int, int]]) -> Iterator[int]:
    """Yield the sizes of the files that a process holds open and that no directory names."""
    place = f"/proc/{pid}/fd"
    try:
        names = os.listdir(place)
    except OSError:
        return
    for name in names:
        try:
            found = os.stat(f"{place}/{name}")
        except OSError:
            continue
        yield _once(found, seen) if found.st_nlink == 0 else 0
