"""Going through many cases at once, and what there is to say about them afterwards."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitcto.runtime.worker import processes
from gitcto.testing.crash_points import plan, sites
from gitcto.testing.crash_points.driver import Case, Result, Stage
from gitcto.testing.crash_points.flow import Flow
from gitcto.testing.crash_points.flows import FLOWS
from gitcto.testing.crash_points.process import Along, import_everything

CHOSEN = (
    "attempt.harvested",
    "landing.intended",
    "landing.moved",
    "ledger.object",
    "room.aside",
    "work.preserved",
)
"""Named steps after whose kill recovery, too, is killed at each moment that it comes to."""

ALL = 1 << 30
"""More cases than there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How much is tried.

    ``repeated`` and ``in_recovery`` are how many of the further kills are drawn by ``seed``: those
    at later passings of a moment, and those of a recovery. ``everywhere`` kills each moment in
    every flow that comes to it, otherwise the first such flow is enough.
    """

    seed: int = 0
    repeated: int = 1
    in_recovery: int = 2
    everywhere: bool = False
    jobs: int = 1


@dataclass(slots=True)
class Told:
    """What a campaign found."""

    flows: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    moments: set[str] = field(default_factory=set)
    states: set[str] = field(default_factory=set)

    @property
    def heard(self) -> frozenset[str]:
        """Every moment that a flow came to, undisturbed or going on after a kill."""
        return frozenset(self.moments.union(*(r.again_moments for r in self.results)))

    @property
    def violations(self) -> list[str]:
        """What was not as promised, each with the case that shows it."""
        return [f"{r.case}\n    {line}" for r in self.results for line in r.violations]

    def figures(self) -> dict[str, object]:
        """Return the figures as one JSON object."""
        killed = [r for r in self.results if r.killed and all(r.killed)]
        twice = [r for r in killed if r.case.again.passing]
        times = sorted(r.recovered_s for r in killed) or [0.0]
        used = os.times()
        heard = self.heard
        whole = len(self.flows) == len(FLOWS)
        kinds = dict.fromkeys(sorted(map(sites.kind_of, heard)), 0)
        for moment in heard:
            kinds[sites.kind_of(moment)] += 1
        return {
            "flows": len(self.flows),
            "points": len(heard),
            "points_by_kind": kinds,
            "named_steps": len([moment for moment in heard if plan.is_named(moment)]),
            "runs": len(self.results),
            "killed": len(killed),
            "not_come_to": len(self.results) - len(killed),
            "killed_twice": len(twice),
            "with_supervisors": len([r for r in killed if r.case.along is Along.SUPERVISORS]),
            "with_all_processes": len([r for r in killed if r.case.along is Along.ALL]),
            "survived": len([r for r in killed if not r.violations]),
            "violations": len(self.violations),
            "consistent_after_s": {
                "median": round(statistics.median(times), 3),
                "max": round(times[-1], 3),
            },
            "unpassed": sites.unpassed(heard) if whole else [],
            "unneeded": sites.unneeded(self.moments) if whole else [],
            "cpu_s": round(sum((used.user, used.system, used.children_user, used.children_system))),
        }


def campaign(
    flows: Sequence[Flow],
    place: Path,
    wanted: Wanted,
    say: Callable[[str], None] = lambda _line: None,
) -> Told:
    """Kill these flows where ``wanted`` says, in new directories below ``place``.

    A moment that several flows come to is killed in the first of them only, unless everywhere.
    """
    main, told = _ready(), Told()
    for flow in flows:
        stage = Stage(flow, place / flow.name, main)
        moments = stage.moments()
        told.flows.append(flow.name)
        told.moments |= {moment for heard in moments for moment in heard}
        _kill(stage, moments, wanted, told)
        say(f"{flow.name}: {len(told.results)} runs, {len(told.violations)} violations")
        shutil.rmtree(place / flow.name, ignore_errors=True)
    return told


def carry_out(flow: Flow, place: Path, case: Case) -> Told:
    """Carry one case out alone."""
    stage = Stage(flow, place / flow.name, _ready())
    return Told(flows=[flow.name], results=[stage.run(case)])


def _ready() -> Callable[[], int]:
    """Make this process one that commands can be forked from; return what they call."""
    main = import_everything()
    gc.collect()
    gc.freeze()  # pages that a fork does not touch need no copy
    if not processes.become_subreaper():
        raise RuntimeError("what a killed command leaves can only be found on Linux")
    return main


def _kill(stage: Stage, moments: plan.Moments, wanted: Wanted, told: Told) -> None:
    flow, seed = stage.flow, wanted.seed
    once = list(plan.first_of_each(flow, moments))
    if not wanted.everywhere:
        once = [case for case in once if not flow.only or _names(case, flow.only)]
        once = list(_new(once, told.states, plan.right_behind(moments)))
    once += plan.each_passing(flow, moments)
    more = [
        *plan.last_of_each(flow, moments),
        *plan.each_transaction(flow, moments),
        *plan.with_all(flow, moments),
    ]
    first = _carried_out(stage, [*once, *plan.sample(more, wanted.repeated, seed)], wanted.jobs)
    told.results += first
    chosen: list[Case] = []
    others: list[Case] = []
    for result in first:
        kills = list(plan.in_recovery(result.case, result.again_moments))
        (chosen if result.case.death.moment in CHOSEN else others).extend(kills)
    twice = plan.sample(chosen, wanted.in_recovery // 2, seed)
    twice += plan.sample(others, wanted.in_recovery - len(twice), seed)
    if wanted.in_recovery >= ALL:
        twice = [*chosen, *plan.sample(others, len(chosen), seed)]
    told.results += _carried_out(stage, twice, wanted.jobs)


def _names(case: Case, parts: Sequence[str]) -> bool:
    return any(part in case.death.moment for part in parts)


def _new(
    cases: Iterable[Case], states: set[str], behind: Mapping[tuple[int, str], str]
) -> Iterator[Case]:
    """Yield the cases that leave what none did before; remember it, and what is the same."""
    for case in cases:
        moment = case.death.moment
        state = plan.state_before(moment)
        if state not in states:
            states.add(state)
            if (case.step, moment) in behind:
                states.add(plan.state_before(behind[case.step, moment]))
            yield case


def _carried_out(stage: Stage, cases: Sequence[Case], jobs: int) -> list[Result]:
    """Carry cases out, in as many processes as there are jobs."""
    if jobs <= 1:
        return [stage.run(case) for case in cases]
    children = []
    for number in range(jobs):
        pid = os.fork()
        if pid == 0:
            _as_child(stage, cases[number::jobs], number)
        children.append(pid)
    results: list[Result] = []
    for number, pid in enumerate(children):
        os.waitpid(pid, 0)
        path = stage.place / f"results-{number}"
        results += pickle.loads(path.read_bytes())  # noqa: S301 - our own child wrote it
    return results


def _as_child(stage: Stage, cases: Iterable[Case], number: int) -> None:
    try:
        processes.become_subreaper()
        stage.begin_at(number * 10_000)
        results = [stage.run(case) for case in cases]
        (stage.place / f"results-{number}").write_bytes(pickle.dumps(results))
    finally:
        os._exit(0)
