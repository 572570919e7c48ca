"""Facts as the events that a ledger would hold, and those as lines and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from gitcto.model import queue_events as ev
from gitcto.model.codec import GENESIS, decode, seal
from gitcto.model.records import TaskSpec
from gitcto.queue.records import (
    Ejected,
    Enqueued,
    Fact,
    Landed,
    Paused,
    Rejected,
    Resumed,
    RunEnded,
    RunStarted,
    TargetMoved,
)

COMMIT = "c" * 40


def event_of(fact: Fact) -> ev.QueueEventBody:
    """Return the event that a run of a team records for a fact."""
    match fact:
        case Enqueued():
            return _enqueued(fact)
        case RunStarted(run=run):
            return ev.QueueRunStarted(
                number=run.number,
                run=run.kind.value,
                tip=run.tip,
                onto=COMMIT,
                prefix=run.prefix,
                unit=run.unit,
                confirms=run.confirms,
                tests=run.tests,
            )
        case RunEnded(number=number, verdict=verdict, executed=executed, failed=failed):
            said = "cancelled" if verdict is None else verdict.value
            return ev.QueueRunEnded(number=number, verdict=said, executed=executed, failed=failed)
        case Landed(number=number):
            return ev.QueueLanded(number=number)
        case Rejected(item=name):
            return ev.QueueLeft(execution=name, how="rejected", reason="tests:failed")
        case Ejected(item=name):
            return ev.QueueLeft(execution=name, how="ejected", reason="a person's")
        case TargetMoved():
            return ev.QueueTargetMoved(commit=COMMIT)
        case Paused():
            return ev.QueuePaused()
        case Resumed():
            return ev.QueueResumed()


def _enqueued(fact: Enqueued) -> ev.QueueEnqueued:
    item = fact.item
    rate = Fraction(item.failure_rate).limit_denominator(100)
    return ev.QueueEnqueued(
        execution=item.id,
        epoch=1,
        change="",
        place=item.seq,
        enqueued_ms=item.enqueued_ms,
        paths=tuple(sorted(item.paths)),
        lines=item.lines,
        failures=rate.numerator,
        judged=rate.denominator,
        overtaken=fact.overtaken,
    )


def specs_of(facts: Iterable[Fact]) -> dict[str, TaskSpec]:
    """Return the tasks that were enqueued, by execution."""
    items = [fact.item for fact in facts if isinstance(fact, Enqueued)]
    return {
        item.id: TaskSpec(id=f"T-{item.id}", title="", tier=item.tier, priority=item.priority)
        for item in items
    }


def through_a_ledger(facts: Sequence[Fact]) -> list[ev.QueueEventBody]:
    """Return the events of facts after they were written as lines and read back."""
    bodies = [ev.QueueOpened(), *map(event_of, facts)]
    ids = map(str, range(len(bodies)))
    lines = seal(bodies, prev=GENESIS, actor="a", now_ms=0, new_id=lambda: next(ids))
    return [decode(line).body for _, line in lines]
