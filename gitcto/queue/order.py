"""Who goes first, and who may not be overtaken any more."""

from __future__ import annotations

from collections.abc import Collection

from gitcto.model.records import Priority
from gitcto.queue.records import Item
from gitcto.queue.state import Queue

OVERTAKEN = 16
"""Not more than this many landings leave a change behind and take along one enqueued later."""

DUE = 8
"""A change that was overtaken this often goes before everything that is not due itself."""

AGEING_MS = 10 * 60 * 1000
"""A waiting change rises by one band of priority each time this passes (milliseconds)."""

_BANDS: dict[Priority, int] = {"urgent": 0, "high": 1, "normal": 2, "low": 3}

Key = tuple[bool, str, int, int]


def key(queue: Queue, item: Item, now_ms: int) -> Key:
    """Return what changes are sorted by: due ones first, then tier, aged priority, sequence."""
    waited = max(0, now_ms - item.enqueued_ms)
    due = queue.overtaken.get(item.id, 0) >= DUE
    band = _BANDS[item.priority] - waited // AGEING_MS
    return (False, "", 0, item.seq) if due else (True, item.tier, band, item.seq)


def ordered(queue: Queue, now_ms: int) -> list[Item]:
    """Return all changes that wait for an end, first the one that goes first."""
    return sorted(queue.items.values(), key=lambda item: key(queue, item, now_ms))


def kept_back(queue: Queue, landing: Collection[str]) -> str:
    """Return the change that a landing would overtake once too often, or nothing."""
    latest = max(queue.items[item_id].seq for item_id in landing)
    return next(
        (
            item.id
            for item in queue.items.values()
            if queue.overtaken.get(item.id, 0) >= OVERTAKEN
            and item.seq < latest
            and item.id not in landing
        ),
        "",
    )
