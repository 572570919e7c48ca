"""What git's binary patches hold: the size of the new content, and the bytes that came with it."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitcto.git.patch_error import PatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = 64
_SHORT = 26
_MORE = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryPatch:
    """The new side of one ``GIT binary patch``: ``size`` bytes, deflated, in ``lines`` of base 85.

    A ``literal`` is the new content; a ``delta`` says how to make it from the old.
    """

    kind: Literal["literal", "delta"]
    size: int
    lines: tuple[bytes, ...]

    def new_size(self) -> int:
        """Return the size of the new content in bytes; raises :class:`PatchError`."""
        if self.kind == "literal":
            return self.size
        head = _inflated(self.lines, min(self.size, _HEADER), whole=False)
        return _number(head, _number(head, 0)[1])[0]

    def added(self, limit: int) -> bytes:
        """Return the bytes that the old content did not have, those of a delta a line a piece.

        Raises :class:`PatchError`, also when there are more than ``limit``.
        """
        if self.size > limit:
            raise PatchError(f"a binary change of {self.size} bytes is larger than {limit}")
        data = _inflated(self.lines, self.size, whole=True)
        return data if self.kind == "literal" else b"".join(_inserted(data))


def _inflated(lines: tuple[bytes, ...], size: int, *, whole: bool) -> bytes:
    try:
        packed = b"".join(_decoded(line) for line in lines)
        data = zlib.decompressobj().decompress(packed, size + 1)
    except (ValueError, zlib.error) as error:
        raise PatchError(f"a binary patch cannot be read: {error}") from error
    if len(data) < size or (whole and len(data) > size):
        raise PatchError(f"a binary patch does not have the {size} bytes that it claims")
    return data[:size]


def _decoded(line: bytes) -> bytes:
    letter = line[:1]
    length = ord(letter) - ord("A") + 1 if letter.isupper() else ord(letter) - ord("a") + _SHORT + 1
    return base64.b85decode(line[1:])[:length]


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at an offset, seven bits a byte, and where it ends."""
    value = shift = 0
    while at < len(data):
        value |= (data[at] & ~_MORE) << shift
        shift += 7
        at += 1
        if not data[at - 1] & _MORE:
            return value, at
    raise PatchError("a binary delta ends within a number")


def _inserted(delta: bytes) -> Iterator[bytes]:
    at = _number(delta, _number(delta, 0)[1])[1]
    while at < len(delta):
        op = delta[at]
        if op & _MORE:
            yield b"\n"
            at += 1 + (op & ~_MORE).bit_count()
        elif op:
            yield delta[at + 1 : at + 1 + op]
            at += 1 + op
        else:
            raise PatchError("a binary delta has an instruction that git does not know")
