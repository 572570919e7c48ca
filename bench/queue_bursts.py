"""Made-up changes that want to land, and the truth about them that no queue is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from random import Random

from gitcto.queue.records import Item

GATE_MS = 600_000
"""How long one run of all gates takes in the median (milliseconds)."""

SIGMA = 0.3
"""Spread of the durations, which are lognormal."""

RERUN_FLAKE = 0.1
"""A test that has just flaked does so again this often: five times the rate of all tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a burst is like; all but ``count`` and ``every`` are probabilities.

    ``bad`` changes are red on any base. Of all pairs, ``overlap`` share a path; of these,
    ``conflict`` are red together. ``unseen`` pairs are, and share none. A predictor is right about
    a change with ``right``; without one it knows only the rate. A run that should be green is red
    with ``flake``. ``every`` is the mean time between arrivals in gate durations, 0 for a burst.
    Running only the failing tests takes a ``rerun`` of a gate duration; None when gates do not
    name them, so that everything is run again.
    """

    count: int = 64
    bad: float = 0.05
    overlap: float = 0.03
    conflict: float = 0.03
    unseen: float = 0.0
    right: float | None = 0.9
    flake: float = 0.0
    every: float = 0.0
    rerun: float | None = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Changes in the order they arrive, and what is wrong with them."""

    shape: Shape
    items: tuple[Item, ...]
    arrivals: tuple[float, ...]
    bad: frozenset[str]
    enemies: Mapping[str, frozenset[str]]
    good: Mapping[str, float]

    def green(self, changes: Collection[str]) -> bool:
        """Tell whether a tree with these changes is green."""
        if not self.bad.isdisjoint(changes):
            return False
        enemies = self.enemies
        return not any(one in enemies and not enemies[one].isdisjoint(changes) for one in changes)

    def breaks(self, change: str, landed: Collection[str]) -> bool:
        """Tell whether a change is red on a target which is green."""
        return change in self.bad or not self.enemies.get(change, frozenset()).isdisjoint(landed)


class Guesses:
    """The predictor of a simulation: as often right as it is said to be, and calibrated."""

    def __init__(self, burst: Burst) -> None:
        self._burst = burst

    def good(self, item: Item) -> float:
        """Return the probability that the change is green on a green base."""
        return self._burst.good[item.id]

    def conflict(self, earlier: Item, later: Item) -> float:
        """Return the rate of conflicts among pairs that share a path."""
        shared = not earlier.paths.isdisjoint(later.paths)
        return self._burst.shape.conflict if shared else 0.0


def burst(shape: Shape, seed: int) -> Burst:
    """Return the changes of one seed."""
    random = Random(seed)
    names = [f"x{number:03}" for number in range(shape.count)]
    bad = frozenset(name for name in names if random.random() < shape.bad)
    paths: dict[str, set[str]] = {name: {name} for name in names}
    enemies: dict[str, set[str]] = {}
    for one, other in combinations(names, 2):
        draw, hostile = random.random(), random.random()
        shared = draw < shape.overlap
        if shared:
            paths[one].add(f"{one}-{other}")
            paths[other].add(f"{one}-{other}")
        if hostile < (shape.conflict if shared else shape.unseen):
            enemies.setdefault(one, set()).add(other)
            enemies.setdefault(other, set()).add(one)
    arrivals, at = [], 0.0
    for _ in names:
        arrivals.append(at)
        at += random.expovariate(1 / shape.every) if shape.every else 0.0
    return Burst(
        shape=shape,
        items=tuple(
            Item(
                id=name, seq=place, enqueued_ms=round(when * GATE_MS), paths=frozenset(paths[name])
            )
            for place, (name, when) in enumerate(zip(names, arrivals, strict=True), start=1)
        ),
        arrivals=tuple(arrivals),
        bad=bad,
        enemies={name: frozenset(others) for name, others in enemies.items()},
        good=_guesses(shape, names, bad, random),
    )


def _guesses(
    shape: Shape, names: Iterable[str], bad: Collection[str], random: Random
) -> dict[str, float]:
    """Return how likely each change is good, by Bayes from a label that is right so often."""
    rate, right = shape.bad, shape.right
    if right is None:
        return dict.fromkeys(names, 1 - rate)
    says_bad = rate * right / (rate * right + (1 - rate) * (1 - right))
    says_good = rate * (1 - right) / (rate * (1 - right) + (1 - rate) * right)
    guesses = {}
    for name in names:
        said = (name in bad) == (random.random() < right)
        guesses[name] = 1 - (says_bad if said else says_good)
    return guesses
