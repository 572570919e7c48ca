"""Identifiers: ULIDs, and which names may become part of a ref, a path or a trailer."""

from __future__ import annotations

import re

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_TEAM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
_TASK = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?\Z")
_NAME = re.compile(r"[a-z](?:[a-z0-9_-]{0,38}[a-z0-9])?\Z")


def ulid(milliseconds: int, randomness: int) -> str:
    """Return the lower-case ULID of a time and 80 random bits (github.com/ulid/spec)."""
    value = ((milliseconds & ((1 << 48) - 1)) << 80) | (randomness & ((1 << 80) - 1))
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


def is_team_name(text: str) -> bool:
    """Tell whether ``text`` may name a team (it becomes part of refs and paths)."""
    return _TEAM.match(text) is not None


def is_task_id(text: str) -> bool:
    """Tell whether ``text`` may identify a task; git's ref rules forbid ``..`` and ``.lock``."""
    return _TASK.match(text) is not None and ".." not in text and not text.endswith(".lock")


def is_name(text: str) -> bool:
    """Tell whether ``text`` may name a role, provider, gate or plugin."""
    return _NAME.match(text) is not None
