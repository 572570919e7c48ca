"""What the driver prints: one JSON object a line, in git-cto's words, and the way back.

The last line tells how it ended (``Ending``); it is written whatever happens, unless the driver is
killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from gitcto.api import AgentEvent, Usage

LONGEST_MESSAGE = 256 * 1024
"""Most characters of a final message; the rest is cut."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended.

    ``stop`` is the protocol's reason (``end_turn``), empty when the agent gave none; ``error`` what
    it answered instead (``code``, ``message``, ``data``); ``trouble`` what went wrong beside the
    protocol, one line. ``denied`` are the tools that it was not allowed to use; ``edited`` tells
    that it changed files; ``interrupted`` that we asked it to stop.
    """

    stop: str = ""
    message: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""
    denied: tuple[str, ...] = ()
    edited: bool = False
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether the agent came to the end of its last turn by itself."""
        return self.stop == "end_turn" and not self.interrupted and not self.trouble


class Journal:
    """Writes events as lines; pieces of a text that follow each other become one line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kind = ""
        self._pieces: list[str] = []
        self._size = 0

    def write(self, event: AgentEvent) -> None:
        """Write one event, or keep a piece of text until it is whole."""
        if event.kind not in _TEXTS:
            self._flush()
            self._line(_told(event))
            return
        if event.kind != self._kind:
            self._flush()
        self._kind = event.kind
        self._pieces.append(event.text)
        self._size += len(event.text)
        if self._size >= _AT_ONCE:
            self._flush()

    def end(self, ending: Ending) -> None:
        """Write the last line."""
        self._flush()
        told: dict[str, Any] = {"kind": "ended", "ok": ending.ok, "stop": ending.stop}
        told["text"] = ending.message[:LONGEST_MESSAGE]
        told |= {"error": dict(ending.error)} if ending.error else {}
        told |= {"trouble": ending.trouble} if ending.trouble else {}
        told |= {"denied": list(ending.denied)} if ending.denied else {}
        told |= {"edited": True} if ending.edited else {}
        told |= {"interrupted": True} if ending.interrupted else {}
        self._line(told)

    def _flush(self) -> None:
        if self._pieces:
            self._line({"kind": self._kind, "text": "".join(self._pieces)})
        self._kind, self._pieces, self._size = "", [], 0

    def _line(self, told: Mapping[str, Any]) -> None:
        # Lone surrogates are legal in JSON and not in UTF-8: escapes keep them.
        self._stream.write(json.dumps(told).encode("ascii") + b"\n")
        self._stream.flush()


def event_of(told: Mapping[str, Any]) -> AgentEvent | None:
    """Return the event of a line, None for one that is none."""
    kind, usage = told.get("kind"), told.get("usage")
    if kind not in _KINDS:
        return None
    text, name = told.get("text", ""), told.get("name", "")
    return AgentEvent(
        kind=kind,
        text=text if isinstance(text, str) else "",
        name=name if isinstance(name, str) else "",
        ok=told.get("ok", True) is True,
        usage=_usage(usage) if isinstance(usage, dict) else None,
    )


def ending_of(told: Mapping[str, Any]) -> Ending | None:
    """Return how a run ended when this line tells it."""
    if told.get("kind") != "ended":
        return None
    error, denied = told.get("error"), told.get("denied")
    texts = {key: str(told.get(key, "")) for key in ("stop", "trouble")}
    return Ending(
        **texts,
        message=str(told.get("text", "")),
        error=error if isinstance(error, dict) else {},
        denied=tuple(map(str, denied)) if isinstance(denied, list) else (),
        edited=told.get("edited") is True,
        interrupted=told.get("interrupted") is True,
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


_KINDS = frozenset(
    (
        *("session", "message", "thinking", "tool_started", "tool_ended"),
        *("edited", "used", "warning", "error", "ended"),
    )
)
