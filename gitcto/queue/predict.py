"""How likely a change is good, and how likely two that touch the same files do not go together."""

from __future__ import annotations

import math
from typing import Protocol

from gitcto.queue.records import Item


class ChangePredictor(Protocol):
    """Something that guesses. It moves the order of work, never a verdict."""

    def good(self, item: Item) -> float:
        """Return the probability that the change is green on a green base (0 to 1)."""
        ...

    def conflict(self, earlier: Item, later: Item) -> float:
        """Return the probability that two good changes which share a path are red together."""
        ...


class PlainPredictor:
    """The default: size, number of paths, and how often the author's changes were rejected.

    Half of the author's rate counts, since a rate of few changes says little. A change of ten
    lines in one file adds 1 %, one of a thousand lines in twenty files about 10 %.
    """

    def good(self, item: Item) -> float:
        """Return the probability that the change is green on a green base (0 to 1)."""
        size = 0.01 * math.log2(1 + item.lines / 10) + 0.002 * len(item.paths)
        return min(0.995, max(0.05, 1 - 0.005 - size - item.failure_rate / 2))

    def conflict(self, earlier: Item, later: Item) -> float:
        """Return 3 % for each path they share, at most one half."""
        return min(0.5, 0.03 * len(earlier.paths & later.paths))
