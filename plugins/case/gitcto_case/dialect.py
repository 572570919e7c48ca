"""What an engine prints: one JSON object a line, in the words of git-cto's own events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitcto.api import AgentEvent, Dialect, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COUNTS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def meanings(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what one object means; raises for one that is malformed."""
    usage = record.get("usage")
    yield AgentEvent(
        kind=_kind(record["event"]),
        text=_text(record, "text"),
        name=_text(record, "name"),
        ok=record.get("ok", True) is True,
        usage=None if usage is None else _usage(usage),
    )


def _kind(word: object) -> Any:
    if word not in KINDS:
        raise ValueError(f"no such event: {word!r}")
    return word


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key, "")
    if not isinstance(value, str):
        raise TypeError(f"{key} must be a text")
    return value


def _usage(table: Mapping[str, Any]) -> Usage:
    cost = table.get("cost_micros")
    counts = {name: int(table.get(name, 0)) for name in _COUNTS}
    return Usage(**counts, cost_micros=None if cost is None else int(cost))


KINDS: tuple[str, ...] = (
    *("session", "message", "thinking", "tool_started", "tool_ended", "refused", "edited"),
    *("used", "warning", "error", "ended"),
)
"""The words that an engine may use for ``event``."""

CASE = Dialect(name="case", events=meanings)
