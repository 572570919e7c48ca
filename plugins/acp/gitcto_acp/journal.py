"""What the driver prints: one event a line, as JSON, and the way back.

The last line is an event ``ended``. It is written whatever happens, unless the driver is killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from gitcto.api import AgentEvent, Usage

_AT_ONCE = 4096
_TEXTS = ("message", "thinking")
_COUNTS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_micros",
)


class Journal:
    """Writes events as lines; pieces of a text that follow each other become one line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kind = ""
        self._pieces: list[str] = []
        self._size = 0

    def write(self, event: AgentEvent) -> None:
        """Write one event, or keep a piece of text until more has come together."""
        if event.kind not in _TEXTS or event.kind != self._kind:
            self._flush()
        if event.kind not in _TEXTS:
            self._line(_told(event))
            return
        self._kind = event.kind
        self._pieces.append(event.text)
        self._size += len(event.text)
        if self._size >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._pieces:
            self._line({"kind": self._kind, "text": "".join(self._pieces)})
        self._kind, self._pieces, self._size = "", [], 0

    def _line(self, told: Mapping[str, Any]) -> None:
        # A lone surrogate is legal in JSON and not in UTF-8: escapes keep it.
        self._stream.write(json.dumps(told).encode("ascii") + b"\n")
        self._stream.flush()


def meanings(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield the event of a line. Raises for a line that is none of ours."""
    usage = record.get("usage")
    yield AgentEvent(
        kind=record["kind"],
        text=_text(record, "text"),
        name=_text(record, "name"),
        ok=record.get("ok", True) is True,
        usage=_usage(usage) if isinstance(usage, dict) else None,
    )


def _told(event: AgentEvent) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": event.kind}
    told |= {"text": event.text} if event.text else {}
    told |= {"name": event.name} if event.name else {}
    told |= {} if event.ok else {"ok": False}
    if event.usage is not None:
        counts = {key: getattr(event.usage, key) for key in _COUNTS}
        told["usage"] = {key: count for key, count in counts.items() if count}
    return told


def _usage(told: Mapping[str, Any]) -> Usage:
    counts = {key: told[key] for key in _COUNTS if type(told.get(key)) is int and told[key] >= 0}
    return Usage(**counts)


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key, "")
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value
