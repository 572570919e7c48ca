"""Canonical JSON (RFC 8785 without fractions) and times as text: equal values, equal bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

_SAFE = (1 << 53) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def canonical(value: object) -> bytes:
    """Return a value as RFC 8785 does: no spaces, keys in the order of their UTF-16.

    Raises ``ValueError`` for what the RFC writes otherwise than Python, or not at all: fractions,
    whole numbers beyond 2**53, text that is no Unicode, other types.
    """
    text = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def time_text(ms: int) -> str:
    """Return milliseconds since the epoch as RFC 3339 in UTC; nothing for 0."""
    if not ms:
        return ""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ordered(value: object) -> object:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        if abs(value) > _SAFE:
            raise ValueError(f"{value} is beyond what every reader of JSON can hold")
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a key that is no text")
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    raise ValueError(f"{type(value).__name__} has no canonical form")
