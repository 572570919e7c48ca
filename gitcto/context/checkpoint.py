"""A stream at one moment, as bytes that prove themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gitcto.context.records import Entry, Stream, sha256

VERSION = 1


class Corrupt(ValueError):  # noqa: N818 - a state, not a fault
    """Bytes that are not the checkpoint they should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The ``number``-th checkpoint of a stream; ``previous`` is the checksum of the one before."""

    number: int
    previous: str
    stream: Stream

    def encode(self) -> bytes:
        """Return the canonical bytes: sorted keys, no spaces, UTF-8."""
        entries = [each.plain() for each in self.stream.entries]
        value = {
            "v": VERSION,
            "number": self.number,
            "previous": self.previous,
            "stream": {"owner": self.stream.owner, "entries": entries},
        }
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")


def decode(data: bytes, checksum: str, owner: str) -> Checkpoint:
    """Read a checkpoint. Raises :class:`Corrupt` unless it is whole, and this owner's."""
    if sha256(data) != checksum:
        raise Corrupt("its checksum is another one")
    try:
        value = json.loads(data.decode("utf-8", "surrogatepass"))
        stream = value["stream"]
        read = Checkpoint(
            number=value["number"],
            previous=value["previous"],
            stream=Stream(stream["owner"], tuple(Entry(**each) for each in stream["entries"])),
        )
        known = value["v"] == VERSION and read.encode() == data
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt("it cannot be read") from error
    if not known:
        raise Corrupt("it is of another version")
    if read.stream.owner != owner:
        raise Corrupt(f"it is of {read.stream.owner}")
    return read
