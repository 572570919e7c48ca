"""Deciding and evolving the merge queue's, approvals' and pushes' commands and events. Pure.

What the queue does next is decided in :mod:`gitcto.queue`; here it is only kept from recording
what cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from gitcto.model import queue_commands as cmd
from gitcto.model import queue_events as ev
from gitcto.model.commands import Refusal
from gitcto.model.queue_commands import QueueCommand
from gitcto.model.queue_events import QueueEventBody
from gitcto.model.records import Execution, Record, TaskState, Team
from gitcto.model.view import StateView

Answer = tuple[QueueEventBody, ...] | Refusal


def decide_queue(view: StateView, team: Team, command: QueueCommand, now_ms: int) -> Answer:
    """Return the events of a command that quotes no fencing token, or why it is refused."""
    match command:
        case cmd.OpenQueue():
            return (ev.QueueOpened(paused=team.queue_paused),)
        case cmd.PauseQueue():
            return () if team.queue_paused else (ev.QueuePaused(reason=command.reason),)
        case cmd.ResumeQueue():
            return (ev.QueueResumed(),)
        case cmd.LeaveQueue():
            return _leave(view, command)
        case cmd.AskEjection():
            return _of_waiting(view, command)
        case cmd.Approve() | cmd.Deny():
            return _approval(view, command, now_ms)
    return (_copied(command),)


def request_approval(x: Execution, c: cmd.RequestApproval) -> Answer:
    """Ask for approval of a change: once, unless as many persons as were asked are not enough.

    Asking anew forgets what was granted, also for the same change.
    """
    if x.state is not TaskState.VALIDATING:
        return _not_validating(x)
    asked = x.approval == "requested" and x.approvals_needed == c.needed
    if x.change == c.change and (asked or x.approval == "denied"):
        return ()
    return (_copied(c),)


def unapproved(x: Execution, change: str) -> Refusal | None:
    """Return why a change lacks the approvals that were asked for, or None."""
    rule = "model.approval"
    if x.approval == "denied":
        return Refusal("approval_denied", rule, f"a person refused change {x.change[:12]}")
    if x.approval and (x.approval != "granted" or x.change != change):
        return Refusal("approval_missing", rule, f"{x.task} waits for approval")
    return None


def enqueue(x: Execution, c: cmd.Enqueue) -> Answer:
    """Let harvested work wait in the queue, unless a person's approval is missing."""
    if x.state is not TaskState.VALIDATING:
        return _not_validating(x)
    missing = unapproved(x, c.change)
    if missing is not None:
        return missing
    place = {"place": x.place}
    return (_copied(c, **place),)


def _leave(view: StateView, c: cmd.LeaveQueue) -> Answer:
    """Take a change out, whatever became of its execution meanwhile."""
    if view.execution(c.execution) is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {c.execution}")
    return (_copied(c),)


def _of_waiting(view: StateView, c: cmd.AskEjection) -> Answer:
    execution = view.execution(c.execution)
    if execution is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {c.execution}")
    if execution.state is not TaskState.VALIDATING:
        return _not_validating(execution)
    return (_copied(c),)


def _approval(view: StateView, c: cmd.Approve | cmd.Deny, now_ms: int) -> Answer:
    execution = view.execution(c.execution)
    rule = "model.approval"
    if execution is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {c.execution}")
    if c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    answerable = {"requested", "granted"} if isinstance(c, cmd.Deny) else {"requested"}
    if execution.state is not TaskState.VALIDATING or execution.approval not in answerable:
        said = execution.approval or "not asked for"
        detail = f"approval of {execution.task} is {said}, and it is {execution.state}"
        return Refusal("not_requested", rule, detail)
    if c.change != execution.change:
        detail = f"this is about change {c.change[:12]}, it is now {execution.change[:12]}"
        return Refusal("other_change", rule, detail)
    if isinstance(c, cmd.Deny):
        return (_copied(c),)
    if now_ms >= execution.approvals_expire_ms:
        return Refusal("expired", rule, f"the request for {execution.task} has expired")
    if c.by in execution.approved_by:
        return Refusal("already_approved", rule, f"{c.by} has approved {execution.task} already")
    return (_copied(c),)


def _not_validating(x: Execution) -> Refusal:
    return Refusal("wrong_state", "model.states", f"execution {x.id} is {x.state}, not validating")


_EVENTS: Mapping[type, type] = {
    cmd.Enqueue: ev.QueueEnqueued,
    cmd.StartRun: ev.QueueRunStarted,
    cmd.EndRun: ev.QueueRunEnded,
    cmd.RecordLanded: ev.QueueLanded,
    cmd.LeaveQueue: ev.QueueLeft,
    cmd.NoteTargetMoved: ev.QueueTargetMoved,
    cmd.AskEjection: ev.EjectionAsked,
    cmd.RequestApproval: ev.ApprovalRequested,
    cmd.Approve: ev.ApprovalGranted,
    cmd.Deny: ev.ApprovalDenied,
    cmd.RecordPush: ev.BranchPushed,
}


def _copied(command: Any, **more: Any) -> Any:
    """Return the event that says as a fact what a command asked for, field by field."""
    fields = {name: getattr(command, name) for name in command.__struct_fields__}
    return _EVENTS[type(command)](**fields, **more)


def evolve_team(team: Team, event: QueueEventBody) -> Team | None:
    """Return the team if the event changes it."""
    match event:
        case ev.QueuePaused():
            return replace(team, queue_paused=True)
        case ev.QueueResumed():
            return replace(team, queue_paused=False, queue_resumed=team.queue_resumed + 1)
    return None


def evolve_queue(view: StateView, team: Team, event: QueueEventBody) -> tuple[Record, ...]:
    """Return the records that an event of the queue or of an approval replaces."""
    changed = evolve_team(team, event)
    if changed is not None:
        return (changed,)
    execution = view.execution(getattr(event, "execution", ""))
    rule = _ON_EXECUTION.get(type(event))
    if execution is None or rule is None:
        return ()
    return (rule(execution, event),)


def _enqueued(x: Execution, e: ev.QueueEnqueued) -> Execution:
    return replace(x, change=e.change)


def _ejection(x: Execution, e: ev.EjectionAsked) -> Execution:
    return replace(x, ejection=e.reason or "no reason given")


def _requested(x: Execution, e: ev.ApprovalRequested) -> Execution:
    return replace(
        x,
        change=e.change,
        approval="requested",
        approvals_needed=e.needed,
        approvals_expire_ms=e.expires_ms,
        approved_by=(),
    )


def _granted(x: Execution, e: ev.ApprovalGranted) -> Execution:
    if e.change != x.change or e.by in x.approved_by:
        return x
    by = (*x.approved_by, e.by)
    enough = x.approval == "requested" and len(by) >= x.approvals_needed
    return replace(x, approved_by=by, approval="granted" if enough else x.approval)


def _denied(x: Execution, e: ev.ApprovalDenied) -> Execution:
    return replace(x, approval="denied") if e.change == x.change else x


_ON_EXECUTION: Mapping[type, Callable[[Execution, Any], Execution]] = {
    ev.QueueEnqueued: _enqueued,
    ev.EjectionAsked: _ejection,
    ev.ApprovalRequested: _requested,
    ev.ApprovalGranted: _granted,
    ev.ApprovalDenied: _denied,
}
