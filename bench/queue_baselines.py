"""What others do with the same changes: one by one, batches with bisection, and optimism."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.queue_bursts import SIGMA, Burst


@dataclass(slots=True, kw_only=True)
class Tally:
    """Runs of all gates, changes that landed, and the time it took in gate durations."""

    runs: int = 0
    landed: int = 0
    makespan: float = 0.0


class OneAfterTheOther:
    """Batches of ``size`` on the tip, one run at a time; a red batch is halved. Size 1: serial."""

    def __init__(self, burst: Burst, seed: int, size: int) -> None:
        self._burst, self._random = burst, Random(seed)
        self._landed: list[str] = []
        self._tally = Tally()
        names = [item.id for item in burst.items]
        self._batches = [names[at : at + size] for at in range(0, len(names), size)]

    def run(self) -> Tally:
        """Judge every batch."""
        for batch in self._batches:
            self._judge(batch)
        self._tally.landed = len(self._landed)
        return self._tally

    def _judge(self, batch: Sequence[str]) -> None:
        self._tally.runs += 1
        self._tally.makespan += self._random.lognormvariate(0.0, SIGMA)
        if self._burst.green([*self._landed, *batch]):
            self._landed += batch
        elif len(batch) > 1:
            middle = len(batch) // 2
            self._judge(batch[:middle])
            self._judge(batch[middle:])


class Optimistic:
    """A window as wide as the capacity, in the manner of Zuul.

    Each change is judged on all before it that have not failed. Behind a red one everything is
    judged again without it, and the red one too when something before it turns out to fail.
    """

    def __init__(self, burst: Burst, seed: int, capacity: int) -> None:
        self._burst, self._random, self._capacity = burst, Random(seed), capacity
        self._queue = [item.id for item in burst.items]
        self._landed: list[str] = []
        self._base: dict[str, tuple[str, ...]] = {}
        self._verdict: dict[str, bool] = {}
        self._events: list[tuple[float, int, str]] = []
        self._newest: dict[str, int] = {}
        self._tally = Tally()

    def run(self) -> Tally:
        """Let every change land or fail."""
        now = 0.0
        self._settle(now)
        while self._events:
            now, number, name = heapq.heappop(self._events)
            if self._newest.get(name) != number:
                continue
            base = self._base[name]
            self._verdict[name] = self._burst.green([*base, name])
            self._settle(now)
            self._tally.makespan = now
        self._tally.landed = len(self._landed)
        return self._tally

    def _settle(self, now: float) -> None:
        while self._queue and self._queue[0] in self._verdict and self._is_current(0):
            name = self._queue.pop(0)
            if self._verdict[name]:
                self._landed.append(name)
        for place in range(min(self._capacity, len(self._queue))):
            if not self._is_current(place):
                self._start(self._queue[place], self._wanted(place), now)

    def _wanted(self, place: int) -> tuple[str, ...]:
        before = [name for name in self._queue[:place] if self._verdict.get(name, True)]
        return (*self._landed, *before)

    def _is_current(self, place: int) -> bool:
        return self._base.get(self._queue[place]) == self._wanted(place)

    def _start(self, name: str, base: tuple[str, ...], now: float) -> None:
        self._tally.runs += 1
        self._base[name] = base
        self._verdict.pop(name, None)
        self._newest[name] = self._tally.runs
        took = self._random.lognormvariate(0.0, SIGMA)
        heapq.heappush(self._events, (now + took, self._tally.runs, name))
