"""A worker's output: a regular file whose use of the disk stays bounded.

Why a file and not a pipe: gemini and qwen do not flush a pipe at their end and lose up to nine
tenths of what they said, the final event included; on a regular file nothing is lost. Why not
``RLIMIT_FSIZE``: it would also bind, and kill for, the files the worker writes as its work. So the
worker appends to a file that looks as long as what was said, and the supervisor gives the middle
back to the file system (a hole) while it grows: disk use is the bound plus what is written between
two looks. Where the file system cannot make holes, a flood beyond ``FLOOD_FACTOR`` times the bound
ends the worker (cause ``output``).

A worker that reopens its own stdout by name (``> /dev/stdout``) truncates it, as with any redirect
to a file: it loses what it said before, the bound holds.
"""

from __future__ import annotations

import os

from gitcto.runtime.processes import LINUX

FLOOD_FACTOR = 8
STEP = 1 << 16
CHUNK = 1 << 20
PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01


class Capture:
    """One output file of at most ``bound`` bytes: the first half and the last half are kept."""

    def __init__(self, path: str, bound: int) -> None:
        self.path = path
        self.bound = bound
        self.size = 0
        self._head = bound // 2
        self._tail = bound - self._head
        self._given_back = self._head
        self._holes = True
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)

    @property
    def flooded(self) -> bool:
        """Whether the file has outgrown what may be kept where no holes can be made."""
        return not self._holes and self.size > FLOOD_FACTOR * self.bound

    def trim(self) -> bool:
        """Give the middle of a long file back; return whether the worker wrote since last time."""
        size = os.fstat(self._fd).st_size
        changed = size != self.size
        if size < self.size:
            self._given_back = self._head
        self.size = size
        length = size - self._tail - self._given_back
        if length >= STEP and self._holes:
            self._holes = _punch(self._fd, self._given_back, length)
            self._given_back += length
        return changed

    def close(self) -> int:
        """Close the gap between head and tail with one line saying so; return the bytes cut.

        To be called when no process writes any more.
        """
        cut = settle(self._fd, self.bound)
        os.close(self._fd)
        return cut


def settle(fd: int, bound: int) -> int:
    """Close the gap in a file nobody writes to any more; return the bytes cut.

    A cut shorter than the line that reports it is not made.
    """
    size = os.fstat(fd).st_size
    cut = size - bound
    note = b"\n[git-cto: %d bytes cut here, the limit is %d]\n" % (cut, bound)
    if cut <= len(note):
        return 0
    head = bound // 2
    source, target = head + cut, head + len(note)
    os.pwrite(fd, note, head)
    while block := os.pread(fd, CHUNK, source):
        os.pwrite(fd, block, target)
        source += len(block)
        target += len(block)
    os.ftruncate(fd, target)
    return cut


def _punch(fd: int, offset: int, length: int) -> bool:
    if not LINUX:
        return False
    try:
        import ctypes

        fallocate = ctypes.CDLL(None).fallocate
    except (ImportError, OSError, AttributeError):
        return False
    fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return int(fallocate(fd, PUNCH_HOLE_KEEP_SIZE, offset, length)) == 0
