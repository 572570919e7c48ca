"""The ledger's events as the queue's facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from gitcto.model import queue_events as ev
from gitcto.model.body import Body
from gitcto.model.records import TaskSpec
from gitcto.queue.records import (
    Ejected,
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
from gitcto.queue.state import Queue, after

Specs = Mapping[str, TaskSpec]
"""What each execution is an attempt at, by the execution's id."""


def facts_of(body: Body, specs: Specs) -> tuple[Fact, ...]:
    """Return the facts of one event: none when it is not about the queue.

    ``queue.opened`` begins a new queue; its facts are the first of that one. Raises ``KeyError``
    when something is enqueued whose task is not among ``specs``.
    """
    match body:
        case ev.QueueOpened():
            return (Paused(),) if body.paused else ()
        case ev.QueueEnqueued():
            item = _item(body, specs[body.execution])
            return (Enqueued(item=item, overtaken=body.overtaken),)
        case ev.QueueRunStarted():
            return (RunStarted(run=_run(body)),)
        case ev.QueueRunEnded():
            return (_ended(body),)
        case ev.QueueLanded():
            return (Landed(number=body.number),)
        case ev.QueueLeft():
            rejected = body.how == "rejected"
            return ((Rejected if rejected else Ejected)(item=body.execution),)
        case ev.QueueTargetMoved():
            return (TargetMoved(),)
        case ev.QueuePaused():
            return (Paused(),)
        case ev.QueueResumed():
            return (Resumed(),)
    return ()


def fold_events(bodies: Iterable[Body], specs: Specs, queue: Queue | None = None) -> Queue:
    """Return the queue after all events, which is a new one after each ``queue.opened``.

    ``queue`` is what an earlier fold returned. Raises ``ValueError`` for an event that contradicts
    the earlier ones, ``KeyError`` as :func:`facts_of` does.
    """
    current = queue or Queue()
    for body in bodies:
        if isinstance(body, ev.QueueOpened):
            current = Queue()
        current = reduce(after, facts_of(body, specs), current)
    return current


def reopened(queue: Queue) -> tuple[Enqueued, ...]:
    """Return the facts with which a new queue begins where an old one was left.

    Everything that waited waits again, in its old place and as often overtaken; what its runs said
    is forgotten.
    """
    waiting = sorted(queue.items.values(), key=lambda item: item.seq)
    return tuple(Enqueued(item=item, overtaken=queue.overtaken.get(item.id, 0)) for item in waiting)


def _item(body: ev.QueueEnqueued, spec: TaskSpec) -> Item:
    return Item(
        id=body.execution,
        seq=body.place,
        enqueued_ms=body.enqueued_ms,
        tier=spec.tier,
        priority=spec.priority,
        paths=frozenset(body.paths),
        lines=body.lines,
        failure_rate=body.failures / body.judged if body.judged else 0.0,
    )


def _run(body: ev.QueueRunStarted) -> Run:
    return Run(
        number=body.number,
        kind=RunKind(body.run),
        tip=body.tip,
        prefix=body.prefix,
        unit=body.unit,
        confirms=body.confirms,
        tests=body.tests,
    )


def _ended(body: ev.QueueRunEnded) -> RunEnded:
    cancelled = body.verdict == "cancelled"
    return RunEnded(
        number=body.number,
        verdict=None if cancelled else Verdict(body.verdict),
        executed=body.executed,
        failed=body.failed,
    )
