"""One path of a change between two trees."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path of a change; ``status`` is git's letter (``A``, ``M``, ``D``, ``T``)."""

    status: str
    path: str
    mode: str
