"""What is believed of what a plugin says of a run, before it is recorded. Pure.

A ledger is read for ever: a number that no other program can hold, or a kind that nobody knows,
must not come into it because a plugin has a defect.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec import ValidationError, convert
from msgspec.structs import asdict, replace

from gitcto.model.agent_records import Fault, Usage

MOST_WAIT_S = 7 * 24 * 3600
"""Longest time that a provider is believed to want us to wait (seconds)."""

MOST_DETAIL = 300
"""Longest detail of a fault, in characters."""

MOST = 1 << 53
"""The largest number that every reader of JSON holds (RFC 8259, section 6)."""

_Record = TypeVar("_Record", Fault, Usage)


class UnbelievableError(ValueError):
    """It is not what its type says; the message says why."""


def believed_words(words: str) -> str:
    """Return text that can be written as UTF-8. Raises :class:`UnbelievableError`."""
    if not isinstance(words, str):
        raise UnbelievableError(f"{type(words).__name__} is no text")
    return words.encode("utf-8", "replace").decode()


def believed_fault(fault: Fault) -> Fault:
    """Return a fault within bounds. Raises :class:`UnbelievableError`."""
    sound = _sound(fault)
    return replace(
        sound,
        detail=_line(sound.detail),
        provider_code=_line(sound.provider_code),
        retry_after_s=min(max(0, sound.retry_after_s), MOST_WAIT_S),
    )


def believed_usage(usage: Usage) -> Usage:
    """Return what was used. Raises :class:`UnbelievableError` for what nobody can have used."""
    sound = _sound(usage)
    counts = [count for count in asdict(sound).values() if count is not None]
    if not all(0 <= count <= MOST for count in counts):
        raise UnbelievableError(f"nobody uses {min(counts)} to {max(counts)} tokens")
    return sound


def _sound(record: _Record) -> _Record:
    try:
        return convert(asdict(record), type(record))
    except ValidationError as error:
        raise UnbelievableError(str(error)) from error


def _line(text: str) -> str:
    words = " ".join(text[: 4 * MOST_DETAIL].split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:MOST_DETAIL]
