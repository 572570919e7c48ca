"""One run of the merge queue: its tree is made and judged, and a red is put to the test."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Event
from typing import Literal

from gitcto.queue.records import Run, RunKind
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.jobs import Job
from gitcto.runtime.core.judged import Judged, Known
from gitcto.runtime.core.queue_messages import RunOver
from gitcto.runtime.core.world import Bench
from gitcto.runtime.queue.admission import Entry
from gitcto.runtime.queue.composing import Composed, ToCompose, compose
from gitcto.runtime.queue.stack import Misfit, build

Said = Literal["green", "red", "not_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run to make: on the commit ``onto``, of ``entries`` (of a sweep, all that wait).

    ``known`` are green verdicts; ``proved`` are pairs of a tree and a ``GATE:TEST`` that was green
    on it (``GATE:``: all of the gate). Once ``stop`` is set nobody wants the result any more.
    """

    run: Run
    onto: str
    entries: tuple[Entry, ...]
    known: Known
    proved: Collection[tuple[str, str]]
    stop: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run said of ``tree``, the last of the ``layers`` on the commit ``onto``.

    ``unsound`` names what was red on ``onto`` itself, so that a red of the change proves nothing;
    ``sound`` what was green there. ``base`` is the tree of ``onto`` where that was asked, and
    ``evidence`` the bundle of a single change that was not green.
    """

    onto: str
    tree: str
    layers: tuple[Entry, ...]
    judged: tuple[Judged, ...]
    base: str = ""
    unsound: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    evidence: str = ""
    composed: Composed | None = None

    @property
    def said(self) -> Said:
        """The run's verdict: one red gate makes it red, and one that did not run no green."""
        return _said(self.judged)

    @property
    def failed(self) -> tuple[str, ...]:
        """What was red, as ``GATE:TEST``."""
        return _failed(self.judged)

    @property
    def executed(self) -> int:
        """How much was executed: tests where gates know, gates where they do not.

        A tree of which no tier demands anything more than of its changes counts as one.
        """
        return sum(one.verdict.executed or 1 for one in self.judged) or 1

    @property
    def reason(self) -> str:
        """The first gate that did not pass and why, as ``GATE:REASON``; nothing when all did."""
        first = first_red(self.judged)
        return f"{first.verdict.gate}:{first.verdict.reason}" if first else ""


def first_red(judged: Iterable[Judged]) -> Judged | None:
    """Return the gate to blame: the first that failed, else the first that did not run."""
    red = [one for one in judged if one.verdict.status != "pass"]
    return next((one for one in red if one.verdict.status == "fail"), next(iter(red), None))


def judging(bench: Bench, order: Order) -> Job:
    """Return the job that makes a run."""
    return lambda post: post(RunOver(number=order.run.number, outcome=judge(bench, order)))


def judge(bench: Bench, order: Order) -> Outcome | Misfit:
    """Make the run's tree and ask its gates.

    A change that is red by itself is not believed to be before the same tests were green without
    it, on the commit below.
    """
    run, onto = order.run, order.onto
    if run.kind is RunKind.SWEEP:
        tree = bench.tree_of(onto)
        bare = [_bare(entry.candidate, onto, tree) for entry in order.entries]
        judged = bench.judge_tree(bare, order.known, {}, order.stop)
        return Outcome(onto=onto, tree=tree, layers=(), judged=tuple(judged))
    layers = build(bench, onto, order.entries, order.known)
    if isinstance(layers, Misfit):
        return layers
    candidates = [layer.candidate for layer in layers]
    tree = candidates[-1].tree
    known = {} if run.kind is RunKind.CONFIRM else order.known
    judged = bench.judge_tree(candidates, known, only(run.tests), order.stop)
    outcome = Outcome(onto=onto, tree=tree, layers=layers, judged=tuple(judged))
    if order.stop.is_set():
        return outcome
    if outcome.said != "green":
        return _doubted(bench, order, outcome) if len(layers) == 1 else outcome
    if run.kind is RunKind.JUDGE and not run.prefix:
        made = ToCompose(number=run.number, onto=onto, layers=layers, judged=outcome.judged)
        return replace(outcome, composed=compose(bench, made))
    return outcome


def only(tests: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the tests to run again, by gate; a gate that names none runs whole."""
    found: dict[str, tuple[str, ...]] = {}
    for name in tests:
        gate, _, test = name.partition(":")
        found[gate] = (*found.get(gate, ()), *([test] if test else []))
    whole = {name.removesuffix(":") for name in tests if name.endswith(":")}
    return {gate: () if gate in whole else names for gate, names in found.items()}


def _doubted(bench: Bench, order: Order, outcome: Outcome) -> Outcome:
    """Ask whether what is red with a change by itself is green without it; write the evidence."""
    layer = outcome.layers[0]
    if outcome.said == "red":
        base = bench.tree_of(outcome.onto)
        asked = [name for name in outcome.failed if not _is_proved(order, base, name)]
        outcome = replace(outcome, base=base)
        if asked:
            bare = _bare(layer.candidate, outcome.onto, base)
            below = bench.judge_tree([bare], {}, only(asked), order.stop)
            if _said(below) == "green":
                outcome = replace(outcome, sound=tuple(asked))
            else:
                unsound = _failed(below) or tuple(asked)
                outcome = replace(outcome, unsound=unsound)
    judged = [*layer.judged, *outcome.judged]
    evidence, _ = bench.bundle(layer.candidate, judged)
    return replace(outcome, evidence=evidence)


def _is_proved(order: Order, tree: str, name: str) -> bool:
    gate = name.partition(":")[0]
    return (tree, name) in order.proved or (tree, f"{gate}:") in order.proved


def _bare(candidate: Candidate, onto: str, tree: str) -> Candidate:
    """Return a candidate that changes nothing: the commit ``onto`` with its own tree."""
    return replace(candidate, onto=onto, tree=tree, changes=(), change="")


def _said(judged: Iterable[Judged]) -> Said:
    statuses = {one.verdict.status for one in judged}
    if "fail" in statuses:
        return "red"
    return "not_run" if "not_run" in statuses else "green"


def _failed(judged: Iterable[Judged]) -> tuple[str, ...]:
    red = (one.verdict for one in judged if one.verdict.status == "fail")
    return tuple(f"{v.gate}:{test}" for v in red for test in v.failed or ("",))
