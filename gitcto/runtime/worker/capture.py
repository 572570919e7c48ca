"""A worker's output: a regular file whose use of the disk stays bounded.

Why a file and not a pipe: gemini and qwen do not flush a pipe at their end and lose up to nine
tenths of what they said, the final event included; on a regular file nothing is lost. So the worker
appends to a file that looks as long as what was said, and the supervisor gives the middle back to
the file system (a hole) while it grows: disk use is the bound and a half plus what is written
between two looks. Where the file system cannot make holes, a flood beyond ``FLOOD_FACTOR`` times
the bound ends the worker (cause ``output``).

The limit on the size of a file (``RLIMIT_FSIZE``) binds the worker's output as any file it writes,
holes included: who says more than that is ended by the kernel or by us, both with cause ``output``.

A worker that reopens its own stdout by name (``> /dev/stdout``) truncates it, as with any redirect
to a file: it loses what it said before, the bound holds.
"""

from __future__ import annotations

import os

from gitcto.runtime.worker.processes import LINUX

FLOOD_FACTOR = 8
STEP = 1 << 16
CHUNK = 1 << 20
SLACK = 128  # longer than any line that reports a cut
PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01


class Capture:
    """One output file of which at most ``bound`` bytes are kept, from its head and its tail.

    ``lines`` bounds their number too, ``largest`` is how long the file may look; None is no limit.
    """

    def __init__(self, path: str, bound: int, lines: int | None, largest: int | None) -> None:
        self.path = path
        self.bound = bound
        self.size = 0
        self._lines = lines
        self._largest = largest
        self._head = bound // 2
        self._given_back = self._head
        self._holes = True
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)

    @property
    def full(self) -> bool:
        """Whether nothing more could be written, because no file may be larger."""
        return self._largest is not None and self.size >= self._largest

    @property
    def flooded(self) -> bool:
        """Whether the file has outgrown what may be kept where no holes can be made."""
        return not self._holes and self.size > FLOOD_FACTOR * self.bound

    def trim(self) -> bool:
        """Give the middle of a long file back; return whether the worker wrote since last time.

        A whole bound stays at the end, so that a last line of that length can be kept whole.
        """
        size = os.fstat(self._fd).st_size
        changed = size != self.size
        if size < self.size:
            self._given_back = self._head
        self.size = size
        length = size - self.bound - self._given_back
        if length >= STEP and self._holes:
            self._holes = _punch(self._fd, self._given_back, length)
            self._given_back += length
        return changed

    def close(self) -> int:
        """Close the gap between head and tail with one line saying so; return the bytes cut.

        To be called when no process writes any more.
        """
        cut = settle(self._fd, self.bound, self._lines)
        os.close(self._fd)
        return cut


def settle(fd: int, bound: int, lines: int | None) -> int:
    """Close the gap in a file nobody writes to any more; return the bytes cut.

    The last line, which is a worker's last word, stays whole when it fits into the bound. A cut of
    no more than ``SLACK`` bytes is not made, so that settling again changes nothing.
    """
    size = os.fstat(fd).st_size
    head, tail = size, size
    if size > bound:
        head = bound // 2
        tail = size - (bound - head)
        last = _last_line(fd, size, bound)
        if last < tail:
            head, tail = bound - (size - last), last
    if lines is not None:
        head, tail = _of_lines(fd, lines, (head, tail, size))
    kept = f"{bound} bytes" + ("" if lines is None else f" and {lines} lines")
    note = f"\n[git-cto: {tail - head} bytes cut here, the limit is {kept}]\n".encode()
    if tail - head <= SLACK:
        return 0
    _replace(fd, head, tail, note)
    return tail - head


def _last_line(fd: int, size: int, bound: int) -> int:
    """Return where the last line begins, or ``size`` when it is longer than ``bound``."""
    end = size - 1 if os.pread(fd, 1, size - 1) == b"\n" else size
    least = size - bound
    while end > least:
        begin = max(least, end - CHUNK)
        found = os.pread(fd, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return least if least == 0 or os.pread(fd, 1, least - 1) == b"\n" else size


def _of_lines(fd: int, lines: int, ends: tuple[int, int, int]) -> tuple[int, int]:
    """Narrow head and tail, which end and begin at ``ends``, to ``lines`` together."""
    head, tail, size = ends
    first = _after(fd, lines // 2, head)
    last = _before(fd, lines - lines // 2, (0 if head == size else tail, size))
    return (first, last) if head < size or first < last else (size, size)


def _after(fd: int, lines: int, end: int) -> int:
    """Return where the first ``lines`` lines before ``end`` are over; ``end`` when it has fewer."""
    place = 0
    while place < end and lines:
        block = os.pread(fd, min(CHUNK, end - place), place)
        count = block.count(b"\n")
        if count >= lines:
            found = -1
            for _ in range(lines):
                found = block.find(b"\n", found + 1)
            return place + found + 1
        lines -= count
        place += len(block)
    return min(place, end)


def _before(fd: int, lines: int, span: tuple[int, int]) -> int:
    """Return where the last ``lines`` lines of a span begin; its begin when it has fewer."""
    begin, end = span
    if end > begin and os.pread(fd, 1, end - 1) != b"\n":
        lines -= 1  # the last one has no end
    while end > begin:
        start = max(begin, end - CHUNK)
        block = os.pread(fd, end - start, start)
        count = block.count(b"\n")
        if count > lines:
            found = len(block)
            for _ in range(lines + 1):
                found = block.rfind(b"\n", 0, found)
            return start + found + 1
        lines -= count
        end = start
    return begin


def _replace(fd: int, head: int, tail: int, note: bytes) -> None:
    """Put ``note`` between a head and a tail, and nothing else."""
    os.pwrite(fd, note, head)
    target = head + len(note)
    while block := os.pread(fd, CHUNK, tail):
        os.pwrite(fd, block, target)
        tail += len(block)
        target += len(block)
    os.ftruncate(fd, target)


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
