"""Reading the patch that :func:`gitcto.git.trees.patch` makes, strictly: what each file gains.

Hunks are read by their counts, so that a line of a file is never taken for a line of the patch.
Anything else than git's own form raises :class:`PatchError`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitcto.git.binary_patch import BinaryPatch
from gitcto.git.patch_error import PatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_BINARY = re.compile(rb"(literal|delta) (\d+)\Z")
_HEADER = (
    b"old mode ",
    b"new mode ",
    b"new file mode ",
    b"deleted file mode ",
    b"index ",
    b"--- ",
    b"+++ ",
)
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-7]{3})")
_ESCAPED = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


@dataclass(frozen=True, slots=True)
class AddedLine:
    """A line that a file has now and had not: its ``number`` (the first is 1) and its bytes."""

    number: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePatch:
    """What a patch does to one path; ``binary`` is None for text.

    A path whose type changes comes twice: what goes, then what comes.
    """

    path: str
    added: tuple[AddedLine, ...]
    removed: int
    binary: BinaryPatch | None


def read_patch(patch: bytes) -> tuple[FilePatch, ...]:
    """Return what a patch does, path by path; raises :class:`PatchError`."""
    return tuple(_files(_Lines(patch.split(b"\n"))))


class _Lines:
    """The lines of a patch, and how far they were read."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._at = 0

    def peek(self) -> bytes | None:
        """Return the next line, or None at the end; the newline at the end starts no line."""
        last = self._at == len(self._lines) - 1 and not self._lines[self._at]
        return None if last or self._at >= len(self._lines) else self._lines[self._at]

    def take(self) -> bytes:
        """Return the next line, which must be there, and go on."""
        line = self.peek()
        if line is None:
            raise PatchError("a patch ends too early")
        self._at += 1
        return line


def _files(lines: _Lines) -> Iterator[FilePatch]:
    while lines.peek() is not None:
        path = _path(lines.take())
        added: list[AddedLine] = []
        removed = 0
        binary = None
        while (line := lines.peek()) is not None and not line.startswith(b"diff --git "):
            if line.startswith(b"@@ "):
                removed += _hunk(lines, added)
            elif line == b"GIT binary patch":
                binary = _binary(lines)
            elif line.startswith(_HEADER):
                lines.take()
            else:
                raise PatchError(f"a patch has a line that git does not write: {line[:80]!r}")
        yield FilePatch(path=path, added=tuple(added), removed=removed, binary=binary)


def _hunk(lines: _Lines, added: list[AddedLine]) -> int:
    """Read one hunk, append what it adds, and return how many lines it removes."""
    found = _HUNK.match(lines.take())
    if not found:
        raise PatchError("a hunk of a patch does not say where it belongs")
    old, number, new = int(found[1] or 1), int(found[2]), int(found[3] or 1)
    removed = 0
    while old > 0 or new > 0:
        line = lines.take()
        if line.startswith(b"+"):
            added.append(AddedLine(number, line[1:]))
            number, new = number + 1, new - 1
        elif line.startswith(b"-"):
            old, removed = old - 1, removed + 1
        elif line.startswith(b" "):
            number, old, new = number + 1, old - 1, new - 1
        elif not line.startswith(b"\\"):
            raise PatchError(f"a hunk has a line that git does not write: {line[:80]!r}")
    if old or new:
        raise PatchError("a hunk has more lines than it says")
    if (lines.peek() or b"").startswith(b"\\"):
        lines.take()
    return removed


def _binary(lines: _Lines) -> BinaryPatch:
    """Read the new side and pass over the old one."""
    lines.take()
    new = _side(lines)
    _side(lines)
    return new


def _side(lines: _Lines) -> BinaryPatch:
    found = _BINARY.match(lines.take())
    if not found:
        raise PatchError("a binary patch does not say what it is")
    kind: Literal["literal", "delta"] = "literal" if found[1] == b"literal" else "delta"
    encoded = []
    while line := lines.take():
        encoded.append(line)
    return BinaryPatch(kind=kind, size=int(found[2]), lines=tuple(encoded))


def _path(line: bytes) -> str:
    """Return the one path of a header: no renames are made, so it stands there twice."""
    rest = line.removeprefix(b"diff --git ")
    half = rest[: len(rest) // 2]
    if rest == line or rest != half + b" " + half.replace(b"a/", b"b/", 1):
        raise PatchError(f"a patch has a header that git does not write: {line[:80]!r}")
    if half.startswith(b'"a/') and half.endswith(b'"'):
        half = b"a/" + _ESCAPE.sub(_unescaped, half[3:-1])
    elif not half.startswith(b"a/"):
        raise PatchError(f"a patch has a header that git does not write: {line[:80]!r}")
    return half[2:].decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[bytes]) -> bytes:
    said = match[1]
    if said.isdigit():
        return bytes([int(said, 8)])
    return bytes([_ESCAPED.get(said[0], said[0])])
