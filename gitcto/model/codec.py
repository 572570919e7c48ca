"""Events to canonical one-line JSON and back: strict writer, tolerant reader.

A line is ``{"actor":…,"body":{"kind":…,…},"id":…,"prev":…,"ts":…,"v":…}`` with sorted keys and no
floats. ``prev`` is the SHA-256 of the previous event's line (64 zeros for the first), so the chain
can be checked without git. Kinds and versions this code does not know become :class:`Opaque`:
they are kept, shown, and stop commands that would change state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

import msgspec
from msgspec import Struct

from gitcto.model.events import EventBody

GENESIS = "0" * 64
"""``prev`` of a ledger's first event."""

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the body of one version into the body of the next."""

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("execution.started", 1): dict,
    ("execution.leased", 1): dict,
    ("execution.leased", 2): dict,
    ("task.added", 1): dict,
    ("execution.failed", 1): dict,
    ("work.preserved", 1): dict,
    ("gate.judged", 1): dict,
    ("landing.intended", 1): dict,
    ("landing.done", 1): dict,
}
"""``(kind, version)`` to the step that leads to ``version + 1``."""

VERSIONS: Mapping[str, int] = {
    str(kind.__struct_config__.tag): kind.VERSION for kind in get_args(EventBody)
}
"""The version of each kind that this code writes."""


class LineError(ValueError):
    """A line is not an event at all (not JSON, or without its header)."""


class Opaque(Struct, frozen=True):
    """The body of an event that a newer git-cto, or a stranger, wrote."""

    kind: str
    fields: dict[str, Any]


class Event(Struct, frozen=True, kw_only=True):
    """One fact of the ledger. ``id`` is its identity, ``ts`` is shown and never orders anything."""

    id: str
    ts: int
    actor: str
    prev: str
    v: int
    body: EventBody | Opaque

    @property
    def kind(self) -> str:
        """The event's tag, for example ``task.added``."""
        return kind_of(self.body)


class _Line(Struct, frozen=True, kw_only=True):
    actor: str
    body: dict[str, Any]
    id: str
    prev: str
    ts: int
    v: int


_ENCODER = msgspec.json.Encoder(order="sorted")
_LINE = msgspec.json.Decoder(_Line)
_BODY: msgspec.json.Decoder[EventBody] = msgspec.json.Decoder(EventBody)


class _Header(Struct, frozen=True, kw_only=True):
    actor: str
    body: msgspec.Raw
    id: str
    prev: str
    ts: int
    v: int


class _Kind(Struct, frozen=True):
    kind: str


_HEADER = msgspec.json.Decoder(_Header)
_KIND = msgspec.json.Decoder(_Kind)


def kind_of(body: EventBody | Opaque) -> str:
    """Return the tag of an event's body."""
    if isinstance(body, Opaque):
        return body.kind
    return str(type(body).__struct_config__.tag)


def digest(line: bytes) -> str:
    """Return the SHA-256 of an event's line, which the next event quotes as ``prev``."""
    return hashlib.sha256(line).hexdigest()


def canonical(value: object) -> bytes:
    """Return any record as canonical JSON: sorted keys, no spaces."""
    return _ENCODER.encode(value)


def encode(event: Event) -> bytes:
    """Return an event as its canonical line, without a newline.

    Raises :class:`LineError` for an event that nobody could read again: an opaque one, or one with
    a field that is not of its type, which nothing else checks. One such line would end the ledger.
    """
    if isinstance(event.body, Opaque):
        raise LineError(f"cannot write event {event.id} of unknown kind {event.body.kind}")
    try:
        line = _ENCODER.encode(event)
        _BODY.decode(_HEADER.decode(line).body)
    except (msgspec.MsgspecError, OverflowError, UnicodeEncodeError) as error:
        raise LineError(f"cannot write an event of kind {kind_of(event.body)}: {error}") from error
    return line


def decode(line: bytes, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS) -> Event:
    """Read one line. Raises :class:`LineError` when it is no event."""
    try:
        header = _HEADER.decode(line)
        kind = _KIND.decode(header.body).kind
        if VERSIONS.get(kind) == header.v:
            body: EventBody | Opaque = _BODY.decode(header.body)
        else:
            body = _upcast(kind, header.v, msgspec.json.decode(header.body, type=dict), upcasters)
    except msgspec.ValidationError:
        return _opaque(line)
    except msgspec.DecodeError as error:
        raise LineError(str(error)) from error
    return Event(
        id=header.id, ts=header.ts, actor=header.actor, prev=header.prev, v=header.v, body=body
    )


def _upcast(
    kind: str, version: int, fields: dict[str, Any], upcasters: Mapping[tuple[str, int], Upcaster]
) -> EventBody | Opaque:
    newest = VERSIONS.get(kind, 0)
    original = dict(fields)
    while version < newest and (kind, version) in upcasters:
        fields = upcasters[kind, version](fields)
        version += 1
    if version != newest:
        return Opaque(kind, original)
    body: EventBody = msgspec.convert(fields, EventBody)
    return body


def _opaque(line: bytes) -> Event:
    try:
        raw = _LINE.decode(line)
    except msgspec.DecodeError as error:
        raise LineError(str(error)) from error
    body = Opaque(str(raw.body.get("kind", "")), raw.body)
    return Event(id=raw.id, ts=raw.ts, actor=raw.actor, prev=raw.prev, v=raw.v, body=body)


def seal(
    bodies: Iterable[EventBody],
    *,
    prev: str,
    actor: str,
    now_ms: int,
    new_id: Callable[[], str],
) -> list[tuple[Event, bytes]]:
    """Give each body its header and its place in the chain; return events with their lines."""
    sealed: list[tuple[Event, bytes]] = []
    for body in bodies:
        event = Event(
            id=new_id(), ts=now_ms, actor=actor, prev=prev, v=type(body).VERSION, body=body
        )
        line = encode(event)
        prev = digest(line)
        sealed.append((event, line))
    return sealed
