"""What one worker's context is made of: entries in the order in which they came."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Literal

Kind = Literal[
    "task", "rules", "digest", "note", "said", "question", "artifact", "message", "follow_up"
]

BYTES_PER_TOKEN = 4
"""The estimate of a token's size: stated, the same everywhere, and no model's own count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a worker is told, or said.

    ``task`` and ``rules`` are what it is to do and keep to; ``note`` says why an earlier attempt
    failed, ``said`` is what the worker said at its end, ``question`` what it asked and nobody
    answered yet; ``artifact`` is one that was cited for it, ``message`` one that was shown to it,
    ``follow_up`` an instruction for now. ``digest`` stands for entries that were compacted away.
    ``name`` is where it comes from, one line; ``open`` that it waits for the worker, which keeps it
    from being compacted: a message that was not acknowledged, say. ``merged`` counts the entries
    behind a digest, ``checksum`` is the SHA-256 of their canonical forms.
    """

    kind: Kind
    text: str
    name: str = ""
    open: bool = False
    merged: int = 0
    checksum: str = ""

    def plain(self) -> dict[str, object]:
        """Return its fields as they are written down."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS = tuple(each.name for each in fields(Entry))


@dataclass(frozen=True, slots=True)
class Stream:
    """All that one worker is told: ``owner`` is its task, ``entries`` begin with it."""

    owner: str
    entries: tuple[Entry, ...] = ()

    def told(self, *entries: Entry) -> Stream:
        """Return the stream with further entries at its end."""
        return Stream(self.owner, (*self.entries, *entries))

    def begun_with(self, task: Entry, rules: Entry) -> Stream:
        """Return the stream with its task and rules as they are now, before everything else."""
        rest = (each for each in self.entries if each.kind not in {"task", "rules"})
        return Stream(self.owner, (task, rules, *rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much a worker is told at most, in estimated tokens.

    ``tokens`` is the hard limit; above ``compact_at`` percent of it, the stream is compacted.
    """

    tokens: int
    compact_at: int = 80

    @property
    def goal(self) -> int:
        """The most that a stream has after it was compacted, if that can be (tokens)."""
        return self.tokens * self.compact_at // 100


def tokens_of(data: bytes) -> int:
    """Return the estimate of a prompt's length: a quarter of its bytes, rounded up."""
    return -(-len(data) // BYTES_PER_TOKEN)


def sha256(data: bytes) -> str:
    """Return the checksum that contexts are known by."""
    return hashlib.sha256(data).hexdigest()
