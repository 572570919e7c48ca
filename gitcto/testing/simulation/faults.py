"""Faults: drawn from the seed, counted, and written into the trace."""

from __future__ import annotations

import hashlib
from collections import Counter
from random import Random

from gitcto.testing.simulation.clock import Clock
from gitcto.testing.simulation.options import Options

_DEADLY = {"landing.moved": 8}
"""Steps that a landing comes to seldom, and how much likelier than at others a death is there."""


class Killed(BaseException):
    """The orchestrator dies here: kill -9, or the power."""


class Trace:
    """A digest over everything that happened, and the last lines of it for a person."""

    def __init__(self, clock: Clock, *, keep: bool = False) -> None:
        self.lines: list[str] = []
        self._clock = clock
        self._keep = keep
        self._digest = hashlib.blake2b(digest_size=16)

    def add(self, what: str) -> None:
        """Note something that happened now."""
        line = f"{self._clock.ms} {what}"
        self._digest.update(line.encode())
        if self._keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """The digest so far."""
        return self._digest.hexdigest()


class Faults:
    """Says when something fails. ``over`` ends all of it: from then on the world is kind."""

    def __init__(self, options: Options, clock: Clock, trace: Trace) -> None:
        self.rng = Random(f"faults {options.seed}")
        self.options = options
        self.clock = clock
        self.trace = trace
        self.counts: Counter[str] = Counter()
        self.over = False
        self.steps = 0
        self._soon = 0

    def strikes(self, name: str, times: int = 1) -> bool:
        """Tell whether a fault happens now that has a chance each time, or ``times`` as much."""
        chance = times * self.options.chances.get(name, 0.0)
        if self.over or not chance or self.rng.random() >= chance:
            return False
        self.count(name)
        return True

    def count(self, name: str) -> None:
        """Note a fault."""
        self.counts[name] += 1
        self.trace.add(f"fault {name}")

    def wait_ms(self, name: str) -> float | None:
        """Return how long until the next fault of a kind that has a rate; None for never."""
        rate = self.options.rates.get(name)
        return None if not rate else self.rng.expovariate(rate) * 3_600_000

    def step(self, name: str) -> None:
        """Pass a durable step. Raises :class:`Killed` when the orchestrator dies at it.

        A death makes another one within the next few steps likely: recovery dies, too.
        """
        self.steps += 1
        if self.over:
            return
        self._soon = max(0, self._soon - 1)
        if self._soon == 1 or self.strikes("step_kill", _DEADLY.get(name, 1)):
            if self._soon == 1:
                self.count("step_kill")
            self._soon = self.rng.randint(2, 8) if self.rng.random() < 0.3 else 0  # noqa: PLR2004
            self.trace.add(f"killed at {name}")
            raise Killed(name)
