"""A virtual clock that drives the shipped scheduler, and knows the truth."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from bench.queue_bursts import GATE_MS, RERUN_FLAKE, SIGMA, Burst, Guesses
from gitcto.queue.actions import Action, Cancel, Eject, Hold, Land, Reject, Start
from gitcto.queue.decide import DEFAULTS, decide
from gitcto.queue.records import (
    Ejected,
    Enqueued,
    Fact,
    Landed,
    Rejected,
    Run,
    RunEnded,
    RunKind,
    RunStarted,
    Verdict,
)
from gitcto.queue.settings import Settings
from gitcto.queue.state import Queue, after


class Decided(NamedTuple):
    """What was decided after so many facts."""

    facts: int
    now_ms: int
    actions: tuple[Action, ...]


BROKEN, FLAKY = "tests/test_it.py::test_it", "tests/test_it.py::test_it_at_times"
"""The tests that fail: for a reason, and for none."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a burst.

    ``runs`` are whole runs of all gates, with confirmations as their share; ``makespan`` is in
    gate durations; ``waits`` from each change's arrival to its end. ``wronged`` changes were
    rejected and are green on what had landed; ``reds`` counts landings that left the target red;
    ``overtaken`` is the most that a change was. ``facts`` and ``decisions`` are the log.
    """

    runs: float = 0.0
    makespan: float = 0.0
    landed: list[str] = field(default_factory=list)
    wronged: int = 0
    reds: int = 0
    overtaken: int = 0
    waits: list[float] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)


class World:
    """One burst, from the first arrival until nothing waits."""

    def __init__(
        self, burst: Burst, seed: int, capacity: int, settings: Settings = DEFAULTS
    ) -> None:
        self.outcome = Outcome()
        self._burst, self._capacity, self._settings = burst, capacity, settings
        self._random = Random(seed * 7919 + 1)
        self._queue = Queue()
        self._guesses = Guesses(burst)
        self._now = 0.0
        self._events: list[tuple[float, int, Fact]] = []
        self._count = 0
        self._arrived = {
            item.id: when for item, when in zip(burst.items, burst.arrivals, strict=True)
        }

    def run(self) -> Outcome:
        """Let everything arrive and end."""
        for item in self._burst.items:
            self._later(self._arrived[item.id], Enqueued(item=item))
        while self._events:
            self._now, _, fact = heapq.heappop(self._events)
            if isinstance(fact, RunEnded) and fact.number not in self._queue.running:
                continue
            self._record(fact)
            if self._events and self._events[0][0] == self._now:
                continue
            self._settle()
        if self._queue.items:
            raise RuntimeError(f"{len(self._queue.items)} changes came to no end")
        return self.outcome

    def _later(self, when: float, fact: Fact) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, fact))

    def _record(self, fact: Fact) -> None:
        self._queue = after(self._queue, fact)
        self.outcome.facts.append(fact)

    def _settle(self) -> None:
        while True:
            now_ms = round(self._now * GATE_MS)
            actions = decide(self._queue, self._capacity, self._guesses, now_ms, self._settings)
            self.outcome.decisions.append(Decided(len(self.outcome.facts), now_ms, actions))
            doing = [action for action in actions if not isinstance(action, Hold)]
            for action in doing:
                self._carry_out(action)
            if not doing:
                return

    def _carry_out(self, action: Action) -> None:
        match action:
            case Start(run=run):
                self._record(RunStarted(run=run))
                self._start(run)
            case Cancel(number=number):
                self._record(RunEnded(number=number, verdict=None))
            case Land(number=number, items=items):
                self._ended(items)
                self.outcome.landed += items
                self.outcome.reds += not self._burst.green(self.outcome.landed)
                self._record(Landed(number=number))
                most = max(self._queue.overtaken.values(), default=0)
                self.outcome.overtaken = max(self.outcome.overtaken, most)
            case Reject(item=item_id):
                self._ended((item_id,))
                self.outcome.wronged += not self._burst.breaks(item_id, self.outcome.landed)
                self._record(Rejected(item=item_id))
            case Eject(item=item_id):
                self._record(Ejected(item=item_id))

    def _ended(self, items: tuple[str, ...]) -> None:
        self.outcome.makespan = self._now
        self.outcome.waits += [self._now - self._arrived[item_id] for item_id in items]

    def _start(self, run: Run) -> None:
        rerun = self._burst.shape.rerun
        share = 1.0 if run.kind is not RunKind.CONFIRM or rerun is None else rerun
        took = self._random.lognormvariate(0.0, SIGMA) * share
        self.outcome.runs += share
        failed = self._failing(run)
        ended = RunEnded(
            number=run.number,
            verdict=Verdict.RED if failed else Verdict.GREEN,
            executed=len(run.tests) or 100,
            failed=() if rerun is None else failed,
        )
        self._later(self._now + took, ended)

    def _failing(self, run: Run) -> tuple[str, ...]:
        """Return the tests that fail: one when the tree is broken, another when the run flakes."""
        asked = run.tests or (BROKEN, FLAKY)
        flake = self._burst.shape.flake
        if run.tests and FLAKY in asked and flake:
            flake = RERUN_FLAKE
        flaked = flake > 0 and self._random.random() < flake
        broken = not self._burst.green([*self.outcome.landed[: run.tip], *run.tree])
        return (*([BROKEN] if broken and BROKEN in asked else []), *([FLAKY] if flaked else []))
