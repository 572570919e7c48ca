"""Which moments of which flows are killed: all of them, or what a budget allows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from gitcto.testing.crash_points.driver import Case
from gitcto.testing.crash_points.flow import Flow
from gitcto.testing.crash_points.points import RUNNING
from gitcto.testing.crash_points.process import Along, Death

Moments = Sequence[Sequence[str]]
"""What each step of a flow comes to when nobody disturbs it, in order."""

LEDGER = ("ledger.object", "ledger.ref", "ledger.sidecar", "ledger.pushed")
"""Named steps of every transaction: each passing of them is another state of the team."""


_INNER = ("git.lock.", "git.loose.", "git.reflock.", "git.erase.", "runtime.worker.workers.")
"""Doors that take several steps, of which one counts for who asked: a rename or a start."""

_OBJECTS = (
    "git.loose._write_and_rename: rename",
    *(f": git {name}" for name in ("commit-tree", "hash-object", "merge-tree", "mktree")),
    ": git write-tree",
)
"""What only makes an object that nothing refers to yet: to whoever comes after, all are alike."""

_COUNTS = (": rename", ": link", RUNNING)


def state_before(moment: str) -> str:
    """Return a name that moments share at which about the same is left.

    A step that puts something in its place, starts a program or is named is another one for
    everybody who asks for it. What one function makes ready before, or removes after, is one; and
    what a door makes ready is one, whoever asked. So is an object that nothing refers to.
    """
    where, _, what = moment.rpartition(": ")
    door = where.rpartition(" > ")[2]
    if moment.endswith(_OBJECTS):
        return what
    if moment.endswith(_COUNTS) or what.startswith(("git ", "start ")) or not where:
        return f"{door}: {what}" if what == "link" and door.startswith(_INNER) else moment
    return door if door.startswith(_INNER) else where


def is_named(moment: str) -> bool:
    """Tell whether a moment is a step that ``Effects`` names."""
    return ":" not in moment


def first_of_each(flow: Flow, moments: Moments) -> Iterator[Case]:
    """Yield a kill at the first passing of every moment of every step."""
    for number, heard in enumerate(moments):
        for moment in dict.fromkeys(heard):
            yield Case(flow=flow.name, step=number, death=Death(moment, 1))


def right_behind(moments: Moments) -> dict[tuple[int, str], str]:
    """Return the unnamed moments that come right behind the first passing of a named step.

    Naming a step changes nothing, so a kill at one finds the same as a kill at the other.
    """
    found = {}
    for number, heard in enumerate(moments):
        first = {moment: place for place, moment in reversed(list(enumerate(heard)))}
        for moment, place in first.items():
            before = heard[place - 1] if place else ""
            if before and is_named(before) and first[before] == place - 1 and not is_named(moment):
                found[number, before] = moment
    return found


def each_passing(flow: Flow, moments: Moments) -> Iterator[Case]:
    """Yield a kill at every later passing of the steps that a flow wants killed each time."""
    for number, heard in enumerate(moments):
        counted = Counter(heard)
        for moment in dict.fromkeys(m for m in heard if m in flow.each):
            for passing in range(2, counted[moment] + 1):
                yield Case(flow=flow.name, step=number, death=Death(moment, passing))


def last_of_each(flow: Flow, moments: Moments) -> Iterator[Case]:
    """Yield a kill at the last passing of every moment passed more than once, with all it began."""
    for number, heard in enumerate(moments):
        for moment, count in Counter(heard).items():
            if count > 1:
                death = Death(moment, count)
                yield Case(flow=flow.name, step=number, death=death, along=Along.ALL)


def each_transaction(flow: Flow, moments: Moments) -> Iterator[Case]:
    """Yield a kill at every passing of the ledger's steps but the first and the last."""
    for number, heard in enumerate(moments):
        for moment, count in Counter(heard).items():
            if moment in LEDGER:
                for passing in range(2, count):
                    yield Case(flow=flow.name, step=number, death=Death(moment, passing))


def with_all(flow: Flow, moments: Moments) -> Iterator[Case]:
    """Yield kills at each named step and beside each program just started, with what runs then."""
    for number, heard in enumerate(moments):
        for moment in dict.fromkeys(m for m in heard if is_named(m) or m.endswith(RUNNING)):
            for along in (Along.ALL, Along.SUPERVISORS):
                yield Case(flow=flow.name, step=number, death=Death(moment, 1), along=along)


def in_recovery(case: Case, recovery: Sequence[str]) -> Iterator[Case]:
    """Yield the same kill, after which recovery is killed at each moment that it comes to."""
    for moment in dict.fromkeys(recovery):
        yield Case(
            flow=case.flow,
            step=case.step,
            death=case.death,
            again=Death(moment, 1),
            along=case.along,
        )


def sample(cases: Sequence[Case], count: int, seed: int) -> list[Case]:
    """Return ``count`` of the cases, drawn by seed, in their order."""
    chosen = random.Random(seed).sample(range(len(cases)), min(count, len(cases)))  # noqa: S311
    return [cases[number] for number in sorted(chosen)]
