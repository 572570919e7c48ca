"""Merge queue: bursts of 64 changes and six slots, driven by the shipped scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from statistics import mean

from bench.measure import Effort, Row, cost_of, p95
from bench.queue_baselines import OneAfterTheOther, Optimistic, Tally
from bench.queue_bursts import Burst, Guesses, Shape, burst
from bench.queue_world import Outcome, World
from gitcto.queue.decide import decide
from gitcto.queue.order import OVERTAKEN
from gitcto.queue.state import fold

SEEDS = 200
CAPACITY = 6
BATCH = 8
RATES = (0.0, 0.01, 0.02, 0.05, 0.10, 0.20, 0.30, 0.50)
_WITH, _WITHOUT = 0.9, None
_RUNS = {
    _WITH: {0.05: 0.60, 0.10: 0.75, 0.20: 1.0},
    _WITHOUT: {0.05: 0.80, 0.10: 1.0, 0.20: 1.35},
}
_MAKESPAN = {_WITH: 8.0, _WITHOUT: 12.0}
_WRONGED = 0.1
_DECISIONS = 1000
_KNOWN = {_WITH: "predictor right 90 %", _WITHOUT: "no predictor"}


def measure(effort: Effort) -> list[Row]:
    """Return rows for bursts at each rate of red changes, for baselines, flakes and arrivals."""
    seeds = range(effort.size(SEEDS, 2))
    rows, seen = [], []
    for rate in RATES:
        others = _baselines(Shape(bad=rate), seeds)
        rows += _baseline_rows(rate, others)
        for right in (_WITH, _WITHOUT):
            outcomes = simulate(Shape(bad=rate, right=right), seeds)
            seen += outcomes
            rows += _burst_rows(rate, right, outcomes, others["optimistic"])
    rows += _flakes(seeds) + _dearer_confirmations(seeds) + _arrivals(seeds)
    blind = simulate(Shape(unseen=0.0005), seeds)
    return rows + _promises(seen, blind) + _again(Shape(), seeds)


def simulate(shape: Shape, seeds: Iterable[int]) -> list[Outcome]:
    """Return what becomes of each seed's changes, without the log."""
    outcomes = (World(burst(shape, seed), seed, CAPACITY).run() for seed in seeds)
    return [replace(outcome, facts=[], decisions=[]) for outcome in outcomes]


def _per_landed(outcomes: Sequence[Outcome] | Sequence[Tally]) -> float:
    landed = sum(_landed(one) for one in outcomes)
    return sum(one.runs for one in outcomes) / max(1, landed)


def _landed(one: Outcome | Tally) -> int:
    return one.landed if isinstance(one, Tally) else len(one.landed)


def _makespan(outcomes: Sequence[Outcome] | Sequence[Tally]) -> float:
    return mean(one.makespan for one in outcomes)


def _baselines(shape: Shape, seeds: Sequence[int]) -> dict[str, list[Tally]]:
    policies: dict[str, Callable[[Burst, int], Tally]] = {
        "serial": lambda made, seed: OneAfterTheOther(made, seed, 1).run(),
        "bisect": lambda made, seed: OneAfterTheOther(made, seed, BATCH).run(),
        "optimistic": lambda made, seed: Optimistic(made, seed, CAPACITY).run(),
    }
    return {
        name: [policy(burst(shape, seed), seed) for seed in seeds]
        for name, policy in policies.items()
    }


def _baseline_rows(rate: float, others: dict[str, list[Tally]]) -> list[Row]:
    return [
        row
        for name in ("serial", "bisect")
        for row in (
            Row(
                what=f"{rate:.0%} red: runs per landed change, {name}",
                value=_per_landed(others[name]),
                unit="runs",
            ),
            Row(
                what=f"{rate:.0%} red: all ended after, {name}",
                value=_makespan(others[name]),
                unit="gates",
            ),
        )
    ]


def _burst_rows(
    rate: float, right: float | None, outcomes: list[Outcome], optimistic: list[Tally]
) -> list[Row]:
    goal = _RUNS[right].get(rate)
    return [
        Row(
            what=f"{rate:.0%} red: runs per landed change, {_KNOWN[right]}",
            value=_per_landed(outcomes),
            unit="runs",
            baseline=_per_landed(optimistic),
            versus="optimistic",
            limit=goal,
        ),
        Row(
            what=f"{rate:.0%} red: all ended after, {_KNOWN[right]}",
            value=_makespan(outcomes),
            unit="gates",
            baseline=_makespan(optimistic),
            versus="optimistic",
            limit=_MAKESPAN[right] if goal else None,
        ),
    ]


def _flakes(seeds: Sequence[int]) -> list[Row]:
    rows = []
    for rate in (0.05, 0.10):
        outcomes = simulate(Shape(bad=rate, flake=0.02), seeds)
        changes = Shape().count * len(outcomes)
        rows += [
            Row(
                what=f"{rate:.0%} red, 2 % of runs flake: good changes rejected",
                value=100 * sum(one.wronged for one in outcomes) / changes,
                unit="%",
                limit=_WRONGED,
            ),
            Row(
                what=f"{rate:.0%} red, 2 % of runs flake: runs per landed change",
                value=_per_landed(outcomes),
                unit="runs",
            ),
        ]
    return rows


def _dearer_confirmations(seeds: Sequence[int]) -> list[Row]:
    """Return what it costs when running only the failing tests saves less, or nothing."""
    rows = []
    for what, rerun in (("a quarter of a gate", 0.25), ("a whole gate, no test named", None)):
        outcomes = simulate(Shape(bad=0.10, rerun=rerun), seeds)
        rows.append(
            Row(
                what=f"10% red, a confirmation takes {what}: runs per landed change",
                value=_per_landed(outcomes),
                unit="runs",
            )
        )
    return rows


def _arrivals(seeds: Sequence[int]) -> list[Row]:
    outcomes = simulate(Shape(every=0.1), seeds)
    waits = [wait for one in outcomes for wait in one.waits]
    what = "5% red, a change arrives every 0.1 gates"
    return [
        Row(what=f"{what}: runs per landed change", value=_per_landed(outcomes), unit="runs"),
        Row(what=f"{what}: wait, p95", value=p95(waits), unit="gates"),
        Row(
            what=f"{what}: most often overtaken",
            value=max(one.overtaken for one in outcomes),
            unit="landings",
            limit=OVERTAKEN,
        ),
    ]


def _promises(seen: Sequence[Outcome], blind: Sequence[Outcome]) -> list[Row]:
    return [
        Row(
            what="landings of all bursts that left the target red",
            value=sum(one.reds for one in seen),
            unit="landings",
            limit=0,
        ),
        Row(
            what="the same, with conflicts among changes that share no path",
            value=sum(one.reds for one in blind),
            unit="landings",
            limit=0,
        ),
        Row(
            what="a change of all bursts was overtaken, at most",
            value=max(one.overtaken for one in seen),
            unit="landings",
            limit=OVERTAKEN,
        ),
    ]


def _again(shape: Shape, seeds: Sequence[int]) -> list[Row]:
    """Make decisions of the bursts again, each from nothing but the log of facts."""
    each = -(-_DECISIONS // len(seeds)) if len(seeds) == SEEDS else 1
    different, seconds, count = 0, 0.0, 0
    for seed in seeds:
        made = burst(shape, seed)
        outcome = World(made, seed, CAPACITY).run()
        stride = max(1, len(outcome.decisions) // each)
        for decided in outcome.decisions[::stride][:each]:
            queue = fold(outcome.facts[: decided.facts])
            asked = partial(decide, queue, CAPACITY, Guesses(made), decided.now_ms)
            seconds, count = seconds + cost_of(asked).cpu_s, count + 1
            different += asked() != decided.actions
    return [
        Row(
            what=f"of {count} decisions made again from the log, different ones",
            value=different,
            unit="decisions",
            limit=0,
        ),
        Row(what="a decision", value=seconds / count * 1000, unit="ms CPU"),
    ]
