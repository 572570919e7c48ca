"""Following an agent while it works: what is new since last time, and what it used so far."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitcto.agents.dialect import SESSION_CHARS, own, read_events, used
from gitcto.agents.lines import read_piece
from gitcto.model.agent_records import Usage
from gitcto.provider_contracts import Progress

if TYPE_CHECKING:
    from gitcto.agents.dialect import Dialect
    from gitcto.provider_contracts import WorkerOutput

_COUNTS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """Where to go on, and what was known there."""

    offset: int = 0
    session: str = ""
    ended: bool = False
    usage: Usage = field(default_factory=Usage)

    def text(self) -> str:
        counts = [getattr(self.usage, name) for name in _COUNTS]
        return json.dumps([self.offset, self.session, self.ended, counts, self.usage.cost_micros])


def poll_output(dialect: Dialect, output: WorkerOutput, cursor: str) -> Progress:
    """Read on in a run's output. What a plugin's ``poll`` may be.

    The output of a run that has ended may have been cut, which moves what follows; then some of it
    is told twice or not at all. ``collect`` reads all of it.
    """
    known = _read(cursor)
    piece = read_piece(output.stdout, known.offset)
    usage, session, ended = known.usage, known.session, known.ended
    events = []
    for line in piece.lines:
        for event in read_events(dialect, line):
            events.append(event)
            usage = used(dialect, usage, event)
            session = session or (event.text[:SESSION_CHARS] if event.kind == "session" else "")
            ended = ended or event.kind == "ended"
    now = _Cursor(offset=piece.offset, session=session, ended=ended, usage=usage)
    return Progress(
        cursor=now.text(),
        events=tuple(events),
        session=session,
        usage=own(dialect, usage, output.before),
        ended=ended,
    )


def _read(cursor: str) -> _Cursor:
    """Return a cursor; the beginning for one that is not ours."""
    try:
        offset, session, ended, counts, cost = (
            json.loads(cursor) if cursor else (0, "", False, [], 0)
        )
        usage = Usage(**dict(zip(_COUNTS, map(int, counts), strict=True)), cost_micros=cost)
        return _Cursor(offset=int(offset), session=str(session), ended=bool(ended), usage=usage)
    except (TypeError, ValueError):
        return _Cursor()
