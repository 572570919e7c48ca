"""The fake agent's stream: its events, one line of JSON each, among lines for people."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from gitcto.api import AgentEvent, Fault, FaultKind, Progress, Usage

BEGUN, ENDED = '{"event": "started"}', '{"event": "finished"}'

_CHUNK = 256 * 1024
"""As much is read at once (bytes); of a longer line nothing is understood."""

_DETAIL = 300
_NOTHING = Usage()
_KINDS = frozenset(get_args(FaultKind)) - {"finish"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one run said up to ``offset``; ``message`` is the last one of its messages."""

    offset: int = 0
    message: str = ""
    session: str = ""
    usage: Usage = _NOTHING
    fault: Fault | None = None
    ended: bool = False


def read_whole(path: Path) -> Stream:
    """Read a stream to its end; one that is not there said nothing."""
    before, (stream, _) = Stream(), _read(path, Stream())
    while stream.offset != before.offset:
        before, (stream, _) = stream, _read(path, stream)
    return stream


def read_on(path: Path, cursor: str) -> Progress:
    """Read one more piece of a stream."""
    stream, events = _read(path, _at(cursor))
    kept = {
        "offset": stream.offset,
        "session": stream.session,
        "usage": {name: getattr(stream.usage, name) for name in Usage.__struct_fields__},
        "ended": stream.ended,
    }
    return Progress(
        cursor=json.dumps(kept),
        events=tuple(events),
        session=stream.session,
        usage=stream.usage,
        ended=stream.ended,
    )


def _at(cursor: str) -> Stream:
    kept = json.loads(cursor) if cursor else {}
    return Stream(**{**kept, "usage": Usage(**kept.get("usage", {}))})


def _read(path: Path, stream: Stream) -> tuple[Stream, list[AgentEvent]]:
    """Take in the whole lines of the next piece; a line that fills a piece is skipped."""
    try:
        with path.open("rb") as file:
            file.seek(stream.offset)
            piece = file.read(_CHUNK)
    except OSError:
        piece = b""
    end = piece.rfind(b"\n") + 1
    if not end and len(piece) == _CHUNK:
        end = _CHUNK
    stream = replace(stream, offset=stream.offset + end)
    events: list[AgentEvent] = []
    for line in piece[:end].splitlines():
        stream, event = _take(stream, _told(line))
        events += [event] if event else []
    return stream, events


def _told(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line) if line.startswith(b'{"event"') else {}
    except (ValueError, RecursionError):
        told = {}
    return told if isinstance(told, dict) else {}


def _take(stream: Stream, told: dict[str, Any]) -> tuple[Stream, AgentEvent | None]:
    match told:
        case {"event": "session", "id": str(session)}:
            return replace(stream, session=session), AgentEvent(kind="session", text=session)
        case {"event": "message", "text": str(text)}:
            return replace(stream, message=text), AgentEvent(kind="message", text=text)
        case {"event": "used", "usage": dict(counts)}:
            usage = stream.usage + _usage(counts)
            return replace(stream, usage=usage), AgentEvent(kind="used", usage=usage)
        case {"event": "fault", "fault": {"kind": str(kind), **rest}} if kind in _KINDS:
            fault = _fault(kind, rest)
            error = AgentEvent(kind="error", name=kind, text=fault.detail, ok=False)
            return replace(stream, fault=fault, ended=True), error
        case {"event": "finished"}:
            return replace(stream, ended=True), AgentEvent(kind="ended")
    return stream, None


def _usage(counts: dict[Any, Any]) -> Usage:
    known = Usage.__struct_fields__
    good = {k: v for k, v in counts.items() if k in known and type(v) is int and v >= 0}
    return Usage(**good)


def _fault(kind: Any, rest: dict[Any, Any]) -> Fault:
    wait = rest.get("retry_after_s", 0)
    return Fault(
        kind=kind,
        detail=_line(rest.get("detail", "")),
        retryable=rest.get("retryable", True) is True,
        retry_after_s=wait if type(wait) is int and wait > 0 else 0,
        provider_code=_line(rest.get("provider_code", "")),
    )


def _line(value: object) -> str:
    text = " ".join(str(value).split())
    return "".join(c if c.isprintable() else "?" for c in text)[:_DETAIL]
