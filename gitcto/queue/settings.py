"""The scheduler's thresholds, and how it adapts them to what waits."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitcto.queue.chances import Chances
from gitcto.queue.state import Queue

_TOTAL_ORDER = 0.9
"""From this share of pairs with shared paths on, everything has to be judged in order."""

_HOPELESS_TOGETHER = 0.5
"""From this chance on that a change goes not together with all its neighbours, none is packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Probabilities (0 to 1) that decide what is judged together, and on what.

    A unit grows while it is green with ``whole``; a change below ``risky`` is judged alone. A unit
    is stacked on a run that is green with ``stack``, on one of what is cleared with ``floor``; it
    takes along cleared changes while these go together with ``ride``. ``most`` is the largest
    unit, None for as many as fill the slots.
    """

    whole: float = 0.4
    risky: float = 0.5
    stack: float = 0.8
    ride: float = 0.9
    floor: float = 0.5
    most: int | None = None


def adapted(settings: Settings, queue: Queue, chances: Chances) -> Settings:
    """Return the settings for what waits, by how much of it overlaps.

    Where nearly all pairs share paths, every unit is stacked on the one before, which searches
    prefixes; and where most changes then clash with another, each is judged by itself.
    """
    count = len(queue.items)
    if count <= 1:
        return settings
    pairs = sum(len(queue.neighbours[item_id] & queue.items.keys()) for item_id in queue.items)
    if pairs < _TOTAL_ORDER * count * (count - 1):
        return settings
    clashes = sum(1 - chances.fits(item_id, queue.items) for item_id in queue.items) / count
    if clashes >= _HOPELESS_TOGETHER:
        return replace(settings, most=1)
    return replace(settings, stack=settings.floor)
