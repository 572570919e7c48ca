"""One run of the merge queue: its tree is made and judged, and a red is put to the test."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Event

from gitcto.queue.records import Run, RunKind
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.jobs import Job
from gitcto.runtime.core.judged import Known, failed_of, said_of
from gitcto.runtime.core.queue_messages import RunOver
from gitcto.runtime.core.queue_values import Entry, Misfit, Outcome
from gitcto.runtime.core.world import Bench
from gitcto.runtime.queue.composing import ToCompose, compose
from gitcto.runtime.queue.stack import build


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
            if said_of(below) == "green":
                outcome = replace(outcome, sound=tuple(asked))
            else:
                unsound = failed_of(below) or tuple(asked)
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
