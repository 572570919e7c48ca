"""Ids as model servers make them: different each time, and plainly ours."""

from __future__ import annotations

import itertools

_numbers = itertools.count(1)


def fresh(prefix: str) -> str:
    """Return an id that no answer of this process had before."""
    return f"{prefix}_scripted{next(_numbers):08d}"
