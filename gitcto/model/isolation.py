"""Levels of isolation: what keeps a worker in its room, by the promise that is made."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Level = Literal["none", "detect", "landlock", "seatbelt", "strict"]
"""``strict`` confines writes, hides secrets and lets no process survive; ``landlock`` and
``seatbelt`` confine writes; ``detect`` only compares before and after; ``none`` does nothing."""

STRENGTH: Mapping[str, int] = MappingProxyType(
    {"none": 0, "detect": 1, "landlock": 2, "seatbelt": 2, "strict": 3}
)
"""Which level is stronger; levels of one strength stand in for each other."""

_CONFINING = 2


def at_least(level: str, minimum: str) -> bool:
    """Tell whether ``level`` promises what ``minimum`` does; an unknown level promises nothing.

    An unknown minimum is met by nothing.
    """
    if minimum not in STRENGTH:
        return False
    return STRENGTH.get(level, -1) >= STRENGTH[minimum]


def confines(level: str) -> bool:
    """Tell whether a level keeps a worker from writing outside its room."""
    return STRENGTH.get(level, -1) >= _CONFINING
