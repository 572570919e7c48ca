"""Reading a file of JSON lines that somebody else writes, a bounded amount at a time.

Agents print lines of megabytes, bytes that are no text, and text that is no JSON; a supervisor
gives the middle of a flood back to the file system, which leaves a hole in the file of a running
worker, and closes the gap when it has ended. None of it costs more than the lines concerned.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE_BYTES = 64 << 20
"""Longest line that is read as JSON; of a longer one only its beginning is looked at."""

PIECE_BYTES = 4 << 20
"""How much one look at a growing file reads, unless a single line is longer."""

RAW_CHARS = 400
"""How much is kept of a line that is no JSON object."""

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: the JSON object that it is (``record``), or the beginning of its ``raw`` text."""

    record: dict[str, Any] | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some lines of a file, in order, and the offset to go on from."""

    lines: tuple[Line, ...]
    offset: int


def read_piece(path: Path, offset: int) -> Piece:
    """Return the whole lines from an offset on, about :data:`PIECE_BYTES` of them.

    A line that has no end yet is left for later. A file that has become shorter is at its end; one
    that is not there has no lines.
    """
    lines: list[Line] = []
    try:
        with path.open("rb", buffering=0) as file:
            reader = _Reader(file.fileno(), offset)
            for line in reader.lines(finished=False):
                lines.append(line)
                if reader.place - offset >= PIECE_BYTES:
                    break
            return Piece(lines=tuple(lines), offset=reader.place)
    except OSError:
        return Piece(lines=tuple(lines), offset=offset)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield every line of a file that is finished, the last one also without an end."""
    try:
        with path.open("rb", buffering=0) as file:
            yield from _Reader(file.fileno(), 0).lines(finished=True)
    except OSError:
        return


class _Reader:
    """Reads a descriptor from ``place`` on; ``place`` is always where a line begins."""

    def __init__(self, fd: int, place: int) -> None:
        self._fd = fd
        self.place = min(place, os.fstat(fd).st_size)

    def lines(self, *, finished: bool) -> Iterator[Line]:
        """Yield the lines ahead; with ``finished`` also what comes after the last line break."""
        held, at, size = bytearray(), self.place, 0
        while True:
            at, jumped = self._over_hole(at)
            if jumped:  # what was said here is gone
                held, size, self.place = bytearray(), 0, at
            block = os.pread(self._fd, _CHUNK, at)
            if not block:
                break
            at += len(block)
            *ended, rest = block.split(b"\n")
            for part in ended:
                held += part[: max(0, LINE_BYTES + 1 - len(held))]
                size += len(part) + 1
                self.place += size
                yield from _line(held)
                held, size = bytearray(), 0
            held += rest[: max(0, LINE_BYTES + 1 - len(held))]
            size += len(rest)
        if finished and size:
            self.place += size
            yield from _line(held)

    def _over_hole(self, at: int) -> tuple[int, bool]:
        """Return where the next data is, and whether a hole was in the way."""
        try:
            data = os.lseek(self._fd, at, os.SEEK_DATA)
        except (OSError, AttributeError):  # the end; or a system that does not tell
            return at, False
        return data, data > at


def _line(held: bytearray) -> Iterator[Line]:
    """Yield what a line says; nothing for an empty one."""
    if not held.strip():
        return
    record: Any = None
    if len(held) <= LINE_BYTES and held.lstrip()[:1] == b"{":
        try:
            record = json.loads(held.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            record = None
    if isinstance(record, dict):
        yield Line(record=record)
    else:
        yield Line(raw=held[: 4 * RAW_CHARS].decode("utf-8", "replace")[:RAW_CHARS])
