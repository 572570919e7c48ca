"""Leases, tokens, stages and seats: S1, S2, S3, S5 and S14."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from gitcto.model import events as ev
from gitcto.model import queue_events as qe
from gitcto.model.codec import Event
from gitcto.model.records import TaskState
from gitcto.testing.invariants.records import Bounds
from gitcto.testing.invariants.seen import ExecutionSeen, Seen, TaskSeen, clone_of

Found = tuple[str, str]
"""The name of an invariant, and what is wrong."""

Check = Callable[["At", Any], Iterator[Found]]
"""Yields what is wrong with an event's body, at its place in the ledger."""


class At(NamedTuple):
    """An event, what was seen before it, and what is promised in numbers."""

    seen: Seen
    event: Event
    bounds: Bounds


STAGES: Mapping[type, frozenset[str]] = {
    ev.ExecutionStarted: frozenset({"leased"}),
    ev.ExecutionExited: frozenset({"started"}),
    ev.WorkHarvested: frozenset({"exited"}),
    ev.GateJudged: frozenset({"harvested"}),
    qe.QueueEnqueued: frozenset({"harvested"}),
    qe.ApprovalRequested: frozenset({"harvested"}),
    ev.LandingIntended: frozenset({"harvested"}),
    ev.LandingAbandoned: frozenset({"intended"}),
    ev.LandingDone: frozenset({"intended"}),
    ev.ExecutionFailed: frozenset({"leased", "started", "exited", "harvested"}),
    ev.LeaseRenewed: frozenset({"leased", "started", "exited", "harvested", "intended"}),
    ev.LeaseTaken: frozenset({"leased", "started", "exited", "harvested", "intended"}),
}
"""The stages in which an outcome may be accepted."""


def of_lease(at: At, e: ev.ExecutionLeased) -> Iterator[Found]:
    """Check a lease: a new token, a free seat, and a task that may start."""
    task = at.seen.tasks.get(e.task)
    if task is None:
        yield "S2", f"{e.execution} is leased for {e.task}, which nobody added"
        return
    yield from _of_token(at.seen, e, task)
    if task.ended:
        yield "S1", f"{e.task} is {task.ended} and is leased again as {e.execution}"
    if task.execution in at.seen.live:
        yield "S2", f"{e.task} is leased as {e.execution} while {task.execution} lives"
    yield from _of_needs(at.seen, e.task)
    limit = min(
        at.bounds.max_workers, int(e.decision.inputs.get("max_workers", at.bounds.max_workers))
    )
    adopts = e.decision.action == "adopt"  # its worker has ended: it takes no seat
    beside = at.seen.workers()
    if beside >= limit and not adopts:
        yield "S14", f"{e.execution} is leased beside {beside} workers, the limit is {limit}"
    if e.decision.verdict != "allow":
        yield "S2", f"{e.execution} is leased though policy denied it"
    if e.expires_ms <= at.event.ts:
        yield "S2", f"the lease of {e.execution} is over before it begins"


def _of_token(seen: Seen, e: ev.ExecutionLeased, task: TaskSeen) -> Iterator[Found]:
    if e.epoch != task.epoch + 1:
        yield "S3", f"{e.task} gets token {e.epoch} after {task.epoch}"
    if e.attempt != task.attempts + 1:
        yield "S3", f"{e.task} gets attempt {e.attempt} after {task.attempts}"
    if e.execution in seen.executions:
        yield "S3", f"{e.execution} was used before"
    if e.nonce and e.nonce in seen.nonces:
        yield "S3", f"{e.execution} has the nonce of another execution"


def _of_needs(seen: Seen, task_id: str) -> Iterator[Found]:
    for needed in seen.tasks[task_id].needs:
        other = seen.tasks.get(needed)
        if other is None or other.ended != "done":
            yield "S5", f"{task_id} starts before {needed} is done"


def of_outcome(at: At, e: Any) -> Iterator[Found]:
    """Check that an outcome is the living lease's own, at its token, and at its stage."""
    x = at.seen.executions.get(e.execution)
    if x is None:
        yield "S2", f"{at.event.kind} of {e.execution}, which was never leased"
        return
    task = at.seen.tasks.get(x.task)
    if e.epoch != x.epoch:
        yield (
            "S2",
            f"{at.event.kind} of {e.execution} quotes token {e.epoch}, its lease has {x.epoch}",
        )
    if task is not None and (task.execution, task.epoch) != (e.execution, x.epoch):
        yield "S2", f"{at.event.kind} of {e.execution}, but {x.task} is leased to {task.execution}"
    if x.stage == "over":
        ends = isinstance(e, ev.LandingDone | ev.ExecutionFailed)
        yield "S1" if ends else "S2", f"{at.event.kind} of {e.execution}, which is over"
    elif x.stage not in STAGES[type(e)]:
        yield "S2", f"{at.event.kind} of {e.execution}, which is {x.stage}"


def of_end(at: At, e: Any) -> Iterator[Found]:
    """Check that a task's end is its only one."""
    x = at.seen.executions.get(e.execution)
    task = at.seen.tasks.get(x.task) if x is not None else None
    if x is not None and task is not None and task.ended:
        yield "S1", f"{x.task} is {task.ended} and ends again by {at.event.kind} of {e.execution}"


def of_holder(at: At, e: ev.LandingIntended | ev.LandingDone) -> Iterator[Found]:
    """Check that a landing was decided for who holds the lease."""
    x = at.seen.executions.get(e.execution)
    if x is not None and clone_of(x.holder) and e.decision.subject != x.holder:
        yield "S2", f"{at.event.kind} of {e.execution} by {e.decision.subject}, {x.holder} holds it"


def of_renewal(at: At, e: ev.LeaseRenewed | ev.LeaseTaken) -> Iterator[Found]:
    """Check that a lease grows by renewal, and changes its clone only when it is over."""
    x = at.seen.executions.get(e.execution)
    if x is None:
        return
    if isinstance(e, ev.LeaseRenewed):
        if e.expires_ms <= x.expires_ms:
            yield "S3", f"the lease of {e.execution} is renewed to {e.expires_ms}, not longer"
        return
    if e.holder == x.holder:
        yield "S2", f"{e.holder} takes {e.execution}, which it holds"
    if _is_of_another(x, e.holder) and at.event.ts <= x.expires_ms:
        left = x.expires_ms - at.event.ts
        yield "S2", f"{e.holder} takes {e.execution} from {x.holder} {left} ms before its end"


def _is_of_another(x: ExecutionSeen, holder: str) -> bool:
    ours, theirs = clone_of(holder), clone_of(x.holder)
    return bool(ours and theirs and ours != theirs)


def of_block(at: At, e: ev.TaskBlocked) -> Iterator[Found]:
    """Check that only a waiting task is blocked without an attempt."""
    task = at.seen.tasks.get(e.task)
    if task is None or task.ended or task.execution in at.seen.live:
        yield "S1", f"{e.task} is blocked, but it is not waiting"


def of_request(at: At, e: ev.TaskRequeued) -> Iterator[Found]:
    """Check that a person asks again only for what ended without being done."""
    task = at.seen.tasks.get(e.task)
    if task is None or task.ended not in {"blocked", "failed"}:
        yield "S1", f"{e.task} is asked for again, but it had not failed"


def of_failure(at: At, e: ev.ExecutionFailed) -> Iterator[Found]:
    """Check that what was harvested is kept before its execution is given up here."""
    x = at.seen.executions.get(e.execution)
    if x is None or not x.work or not x.changed or x.kept or x.given_up:
        return
    if e.reason == "lease_stolen":
        return  # a person's command reaches no room: its ref pins it until its clone looks
    if x.at == clone_of(x.holder):  # another clone keeps what it harvested when it comes back
        yield "P1", f"{e.execution} ends and nothing keeps what it made ({x.work[:12]})"
    if e.then in {TaskState.DONE, TaskState.INTEGRATING}:
        yield "S1", f"{e.execution} failed, and its task is {e.then}"


CHECKS: Mapping[type, tuple[Check, ...]] = {
    ev.ExecutionLeased: (of_lease,),
    ev.TaskBlocked: (of_block,),
    ev.TaskRequeued: (of_request,),
    ev.LeaseRenewed: (of_outcome, of_renewal),
    ev.LeaseTaken: (of_outcome, of_renewal),
    ev.ExecutionStarted: (of_outcome,),
    ev.ExecutionExited: (of_outcome,),
    ev.WorkHarvested: (of_outcome,),
    ev.GateJudged: (of_outcome,),
    ev.LandingIntended: (of_outcome, of_holder),
    ev.LandingAbandoned: (of_outcome,),
    ev.LandingDone: (of_outcome, of_holder, of_end),
    ev.ExecutionFailed: (of_outcome, of_end, of_failure),
    qe.QueueEnqueued: (of_outcome,),
    qe.ApprovalRequested: (of_outcome,),
}
"""What is checked of each kind of event, before it is taken in."""
