"""Compacting a stream: the same stream and budget give the same result, and no model is asked.

What resuming needs stays whole: task, rules, what is open, the last note and the last instruction.
The rest is replaced, the oldest first, by one line each with its checksum; these lines are merged
when even they are too many.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from gitcto.context.records import Budget, Entry, Stream, sha256, tokens_of
from gitcto.context.render import render

_SHOWN = 60


class Overfull(Exception):  # noqa: N818 - a state, not a fault
    """What must be kept is more than the budget: ``tokens`` of ``limit``."""

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"{tokens} tokens must be kept, the budget is {limit}")
        self.tokens = tokens
        self.limit = limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """A stream within its budget: ``tokens`` is what its prompt has, ``saved`` what it had more."""

    stream: Stream
    tokens: int
    saved: int


def compact(stream: Stream, budget: Budget) -> Compacted:
    """Bring a stream within its budget; one that is below the trigger stays as it is.

    Doing it again changes nothing. Raises :class:`Overfull` when what must stay is more than the
    hard limit.
    """
    before = _tokens(stream)
    if before > budget.goal:
        for step in (_shorten, _merge):
            shorter = _until_fits(stream, budget.goal, step)
            stream = shorter if _tokens(shorter) < _tokens(stream) else stream
    after = _tokens(stream)
    if after > budget.tokens:
        raise Overfull(after, budget.tokens)
    return Compacted(stream=stream, tokens=after, saved=before - after)


def _tokens(stream: Stream) -> int:
    return tokens_of(render(stream))


def _until_fits(stream: Stream, goal: int, step: Callable[[Stream], Stream | None]) -> Stream:
    while _tokens(stream) > goal:
        shorter = step(stream)
        if shorter is None:
            return stream
        stream = shorter
    return stream


def _shorten(stream: Stream) -> Stream | None:
    """Replace the oldest entry that may go, and that a line is shorter than, by its line."""
    kept = _kept(stream)
    for at, entry in enumerate(stream.entries):
        if at in kept or entry.kind == "digest":
            continue
        line = _line(entry)
        if len(line.text) < len(entry.text):
            return Stream(stream.owner, (*stream.entries[:at], line, *stream.entries[at + 1 :]))
    return None


def _merge(stream: Stream) -> Stream | None:
    """Make the two oldest lines one; then the oldest entry that may go and is short, too."""
    kept = _kept(stream)
    may_go = [at for at in range(len(stream.entries)) if at not in kept]
    if len(may_go) < 2:  # noqa: PLR2004
        return None
    first, second = may_go[:2]
    one, two = (_as_digest(stream.entries[at]) for at in (first, second))
    count = one.merged + two.merged
    checksum = sha256(f"{one.checksum}{two.checksum}".encode())
    merged = Entry(
        kind="digest",
        text=f"{count} older entries [{checksum[:12]}]",
        merged=count,
        checksum=checksum,
    )
    rest = (each for at, each in enumerate(stream.entries) if at > first and at != second)
    return Stream(stream.owner, (*stream.entries[:first], merged, *rest))


def _kept(stream: Stream) -> frozenset[int]:
    """Return the places of what resuming needs."""
    last = {each.kind: at for at, each in enumerate(stream.entries)}
    needed = {at for kind, at in last.items() if kind in {"note", "follow_up"}}
    for at, entry in enumerate(stream.entries):
        if entry.open or entry.kind in {"task", "rules", "question"}:
            needed.add(at)
    return frozenset(needed)


def _line(entry: Entry) -> Entry:
    checksum = sha256(json.dumps(entry.plain(), sort_keys=True).encode())
    words = " ".join(entry.text.split())
    shown = words if len(words) <= _SHOWN else f"{words[: _SHOWN - 1]}…"
    name = " ".join(entry.name.split())[:_SHOWN]
    text = f"{entry.kind}{f' from {name}' if name else ''} [{checksum[:12]}]: {shown}"
    return Entry(kind="digest", text=text, merged=1, checksum=checksum)


def _as_digest(entry: Entry) -> Entry:
    return entry if entry.kind == "digest" else _line(entry)
