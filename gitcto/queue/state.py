"""The queue: a frozen fold of facts, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from gitcto.queue.records import (
    Ejected,
    Ended,
    Enqueued,
    Fact,
    Item,
    Landed,
    Paused,
    Rejected,
    Resumed,
    Run,
    RunEnded,
    RunKind,
    RunStarted,
    TargetMoved,
    Verdict,
)

ELSEWHERE = ""
"""Stands in ``Queue.landed`` for a move of the target that was not the queue's."""

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """All that is known.

    ``items`` are the changes that wait for an end; ``neighbours`` those that waited with one and
    share a path with it, and ``known`` all of both. ``landed`` are the moves of the target, one for
    each change; ``ended`` the runs that still say something about an item. ``overtaken`` counts,
    for each item, the landings that took along a change enqueued later and left it behind;
    ``judged`` the runs that were about it, ``stumbled`` those of them that did not run.
    ``stumbles`` is how many runs in a row did not run, ``sound`` whether the tip has been judged
    green (None: not yet).
    """

    items: Mapping[str, Item] = field(default_factory=dict)
    known: Mapping[str, Item] = field(default_factory=dict)
    neighbours: Mapping[str, frozenset[str]] = field(default_factory=dict)
    landed: tuple[str, ...] = ()
    rejected: frozenset[str] = frozenset()
    ejected: frozenset[str] = frozenset()
    running: Mapping[int, Run] = field(default_factory=dict)
    ended: Mapping[int, Ended] = field(default_factory=dict)
    overtaken: Counts = field(default_factory=dict)
    judged: Counts = field(default_factory=dict)
    stumbled: Counts = field(default_factory=dict)
    stumbles: int = 0
    runs: int = 0
    paused: bool = False
    sound: bool | None = True


def fold(facts: Iterable[Fact], queue: Queue | None = None) -> Queue:
    """Return the queue after all ``facts``."""
    return reduce(after, facts, queue or Queue())


def after(queue: Queue, fact: Fact) -> Queue:
    """Return the queue after one fact.

    Raises ``ValueError`` for a fact that contradicts the earlier ones.
    """
    match fact:
        case Enqueued(item=item, overtaken=overtaken):
            return _enqueued(queue, item, overtaken)
        case RunStarted(run=run):
            return _started(queue, run)
        case RunEnded():
            return _run_ended(queue, fact)
        case Landed(number=number):
            return _landed(queue, number)
        case Rejected(item=item_id):
            left = _without(queue, {_known(queue, item_id)})
            return replace(left, rejected=queue.rejected | {item_id})
        case Ejected(item=item_id):
            left = _without(queue, {_known(queue, item_id)})
            return replace(left, ejected=queue.ejected | {item_id})
        case TargetMoved():
            return replace(queue, landed=(*queue.landed, ELSEWHERE), sound=None)
        case Paused():
            return replace(queue, paused=True)
        case Resumed():
            sound = None if queue.sound is False else queue.sound
            return replace(queue, paused=False, stumbles=0, stumbled={}, sound=sound)


def rest(queue: Queue, run: Run) -> tuple[str, ...] | None:
    """Return what landing a run's tree would add to the tip, or None when it is not on this tip.

    A run is on the tip when the target has moved since only along the run's own tree.
    """
    moved = queue.landed[run.tip :]
    tree = run.tree
    return tree[len(moved) :] if tree[: len(moved)] == moved else None


def _known(queue: Queue, item_id: str) -> str:
    if item_id not in queue.items:
        raise ValueError(f"{item_id!r} is not in the queue")
    return item_id


def _enqueued(queue: Queue, item: Item, overtaken: int) -> Queue:
    if item.id in queue.items or item.id in {*queue.landed, *queue.rejected, *queue.ejected}:
        raise ValueError(f"{item.id!r} was enqueued before")
    beside = frozenset(
        other.id for other in queue.items.values() if not item.paths.isdisjoint(other.paths)
    )
    neighbours = dict(queue.neighbours)
    for other_id in beside:
        neighbours[other_id] |= {item.id}
    neighbours[item.id] = beside
    return replace(
        queue,
        items={**queue.items, item.id: item},
        known={**queue.known, item.id: item},
        neighbours=neighbours,
        overtaken={**queue.overtaken, item.id: overtaken} if overtaken else queue.overtaken,
    )


def _started(queue: Queue, run: Run) -> Queue:
    if run.number != queue.runs + 1:
        raise ValueError(f"run {run.number} is not the next one")
    judged = dict(queue.judged)
    if run.kind is RunKind.JUDGE:
        for item_id in run.unit:
            judged[item_id] = judged.get(item_id, 0) + 1
    running = {**queue.running, run.number: run}
    return replace(queue, running=running, judged=judged, runs=run.number)


def _run_ended(queue: Queue, fact: RunEnded) -> Queue:
    if fact.number not in queue.running:
        raise ValueError(f"run {fact.number} is not under way")
    run = queue.running[fact.number]
    running = {number: one for number, one in queue.running.items() if number != fact.number}
    queue = replace(queue, running=running)
    if fact.verdict is None:
        return queue
    verdict = fact.verdict
    if verdict is Verdict.GREEN and fact.executed == 0:
        verdict = Verdict.NOT_RUN
    if verdict is Verdict.NOT_RUN:
        stumbled = dict(queue.stumbled)
        for item_id in run.unit:
            stumbled[item_id] = stumbled.get(item_id, 0) + 1
        return replace(queue, stumbled=stumbled, stumbles=queue.stumbles + 1)
    if run.kind is RunKind.SWEEP:
        current = run.tip == len(queue.landed)
        sound = verdict is Verdict.GREEN if current else queue.sound
        return replace(queue, stumbles=0, sound=sound)
    ended = Ended(run=run, verdict=verdict, failed=fact.failed)
    return replace(queue, stumbles=0, ended={**queue.ended, run.number: ended})


def _landed(queue: Queue, number: int) -> Queue:
    if number not in queue.ended:
        raise ValueError(f"run {number} has no verdict to land on")
    new = rest(queue, queue.ended[number].run)
    if not new or any(item_id not in queue.items for item_id in new):
        raise ValueError(f"run {number} is not on the tip")
    latest = max(queue.items[item_id].seq for item_id in new)
    overtaken = dict(queue.overtaken)
    gone = set(new)
    for item in queue.items.values():
        if item.id not in gone and item.seq < latest:
            overtaken[item.id] = overtaken.get(item.id, 0) + 1
    left = _without(replace(queue, overtaken=overtaken), gone)
    return replace(left, landed=queue.landed + new, sound=True)


def _without(queue: Queue, gone: set[str]) -> Queue:
    """Return the queue without items, and without runs that say nothing about those that stay."""
    items = {item_id: item for item_id, item in queue.items.items() if item_id not in gone}
    ended = {
        number: one
        for number, one in queue.ended.items()
        if any(item_id in items for item_id in one.run.tree)
    }
    neighbours = {item_id: queue.neighbours[item_id] for item_id in items}
    beside = set(items).union(*neighbours.values())
    known = {item_id: item for item_id, item in queue.known.items() if item_id in beside}
    return replace(queue, items=items, ended=ended, neighbours=neighbours, known=known)
