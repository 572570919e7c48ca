"""The virtual clock: what will happen, in order, and the time of the next of it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

START_MS = 1_800_000_000_000
"""The wall clock's time when a simulation begins (milliseconds since the epoch)."""


class Clock:
    """Runs what was planned when its time has come; ``ms`` since the simulation began."""

    def __init__(self) -> None:
        self.ms = 0
        self._planned: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count()

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Plan something; of two at the same time the first planned goes first."""
        at = self.ms + max(0, int(delay_ms))
        heapq.heappush(self._planned, (at, next(self._number), action))

    def step(self) -> bool:
        """Do the next thing; return False when nothing is planned."""
        if not self._planned:
            return False
        at, _, action = heapq.heappop(self._planned)
        self.ms = max(self.ms, at)
        action()
        return True
