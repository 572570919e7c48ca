"""From what an agent prints to what it means: one fold for every dialect. Pure.

A plugin says what one JSON object of its CLI means, as :class:`AgentEvent` values; the rest is the
same for all: what the agent said last, what it used, whether it ended, and what went wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gitcto.agents.faults import fault_of
from gitcto.model.agent_records import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gitcto.agents.lines import Line
    from gitcto.model.agent_records import Fault
    from gitcto.provider_contracts import AgentEvent

MESSAGE_CHARS = 1 << 20
"""How much is kept of what an agent said last."""

NOTED = 20
"""How many refused tools, warnings and stray lines are kept of one run."""

SESSION_CHARS = 200


def no_such_fault(text: str, code: str) -> Fault:
    """Return what an error means where a CLI has no words of its own."""
    return fault_of(text, code=code)


def no_complaints(stderr: str) -> Iterable[AgentEvent]:
    """Return nothing: a CLI's events tell all."""
    del stderr
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one CLI talks.

    ``events`` says what one JSON object means; it may raise for one that is malformed, which then
    means nothing. ``pieces`` tells that its messages are pieces of one, until a tool is used.
    ``sums`` tells that each ``used`` counts one step, and not all of the run up to there.
    ``whole_session`` tells that it counts what a resumed session used before as well, and
    ``whole_cost`` that only its cost does.
    ``errors_decide`` tells that a run with an ``error`` is no success, whatever its last event
    says. ``fault`` says what an error means (its text and its code), ``ended`` ones included.
    ``complaints`` says what the end of its standard error means that its events do not tell.
    """

    name: str
    events: Callable[[Mapping[str, Any]], Iterable[AgentEvent]]
    pieces: bool = False
    sums: bool = False
    whole_session: bool = False
    whole_cost: bool = False
    errors_decide: bool = False
    fault: Callable[[str, str], Fault] = no_such_fault
    complaints: Callable[[str], Iterable[AgentEvent]] = no_complaints


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What a run came to, as far as it was read.

    ``message`` is what it said last, ``ended`` its terminal event, None before that. ``error`` is
    the last one it reported. ``refused`` names tools that it was not allowed, ``worked`` counts
    those that did their work. ``stray`` are lines that are no JSON objects.
    """

    message: str = ""
    session: str = ""
    usage: Usage = field(default_factory=Usage)
    ended: AgentEvent | None = None
    error: AgentEvent | None = None
    refused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()
    worked: int = 0
    fresh: bool = True


def read_events(dialect: Dialect, line: Line) -> tuple[AgentEvent, ...]:
    """Return what one line means; nothing for what the dialect does not know."""
    if line.record is None:
        return ()
    try:
        return tuple(dialect.events(line.record))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return ()


def fold(dialect: Dialect, transcript: Transcript, line: Line) -> Transcript:
    """Return the transcript with one more line."""
    if line.record is None:
        return replace(transcript, stray=_kept(transcript.stray, line.raw))
    return fold_events(dialect, transcript, read_events(dialect, line))


def fold_events(
    dialect: Dialect, transcript: Transcript, events: Iterable[AgentEvent]
) -> Transcript:
    """Return the transcript with more events."""
    for event in events:
        transcript = _one(dialect, transcript, event)
    return transcript


def used(dialect: Dialect, so_far: Usage, event: AgentEvent) -> Usage:
    """Return what a run has used with one more event."""
    if event.usage is None:
        return so_far
    return so_far + event.usage if dialect.sums and event.kind == "used" else event.usage


def own(dialect: Dialect, usage: Usage, before: Usage) -> Usage:
    """Return what a run used itself, in a session that had used ``before``."""
    if dialect.whole_session:
        return since(usage, before)
    if dialect.whole_cost:
        return since(usage, Usage(cost_micros=before.cost_micros))
    return usage


def since(usage: Usage, before: Usage) -> Usage:
    """Return what was used since a session had used ``before``; never less than nothing."""
    cost = usage.cost_micros
    if cost is not None:
        cost = max(0, cost - (before.cost_micros or 0))
    return Usage(
        input_tokens=max(0, usage.input_tokens - before.input_tokens),
        cached_tokens=max(0, usage.cached_tokens - before.cached_tokens),
        cache_write_tokens=max(0, usage.cache_write_tokens - before.cache_write_tokens),
        output_tokens=max(0, usage.output_tokens - before.output_tokens),
        reasoning_tokens=max(0, usage.reasoning_tokens - before.reasoning_tokens),
        cost_micros=cost,
    )


def _one(dialect: Dialect, so_far: Transcript, event: AgentEvent) -> Transcript:
    usage = used(dialect, so_far.usage, event)
    if usage is not so_far.usage:
        so_far = replace(so_far, usage=usage)
    match event.kind:
        case "session":
            return replace(so_far, session=so_far.session or event.text[:SESSION_CHARS])
        case "message":
            before = so_far.message if dialect.pieces and not so_far.fresh else ""
            return replace(so_far, message=(before + event.text)[-MESSAGE_CHARS:], fresh=False)
        case "tool_started" | "tool_ended" | "refused" | "edited":
            return _tool(so_far, event)
        case "warning":
            return replace(so_far, warnings=_kept(so_far.warnings, event.text))
        case "error":
            return replace(so_far, error=event)
        case "ended":
            said = event.text[-MESSAGE_CHARS:] if event.ok and event.text else so_far.message
            return replace(so_far, ended=event, message=said)
        case _:
            return so_far


def _tool(so_far: Transcript, event: AgentEvent) -> Transcript:
    """Return the transcript with the use of a tool, which ends a message."""
    worked = so_far.worked + (event.ok and event.kind in {"tool_ended", "edited"})
    refused = _kept(so_far.refused, event.name) if event.kind == "refused" else so_far.refused
    return replace(so_far, fresh=True, worked=worked, refused=refused)


def _kept(texts: tuple[str, ...], text: str) -> tuple[str, ...]:
    return texts if text in texts or len(texts) >= NOTED else (*texts, text)
