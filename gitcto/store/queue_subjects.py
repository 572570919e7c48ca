"""The subject lines of the merge queue's, approvals' and pushes' events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model import queue_events as ev

if TYPE_CHECKING:
    from collections.abc import Callable


def queue_phrase(body: ev.QueueEventBody, task: Callable[[str], str]) -> str:
    """Return what an event says; ``task`` gives the id of an execution's task."""
    match body:
        case ev.QueueOpened():
            return "merge queue opened"
        case ev.QueuePaused():
            return f"merge queue paused ({body.reason or 'no reason given'})"
        case ev.QueueResumed():
            return "merge queue resumed"
        case ev.QueueRunStarted():
            about = ", ".join(map(task, body.unit)) or "the target"
            return f"queue run {body.number} started: {body.run} {about}"
        case ev.QueueRunEnded():
            why = f" ({body.reason})" if body.reason else ""
            return f"queue run {body.number}: {body.verdict}{why}"
        case ev.QueueLanded():
            return f"queue run {body.number} landed"
        case ev.QueueTargetMoved():
            return f"target moved to {body.commit[:12]} by somebody else"
        case ev.BranchPushed():
            return f"pushed {body.commit[:12]} to {body.remote} {body.ref}"
        case _:
            return f"{task(body.execution)}: {_of_execution(body)}"


def _of_execution(
    body: ev.QueueEnqueued
    | ev.QueueLeft
    | ev.EjectionAsked
    | ev.ApprovalRequested
    | ev.ApprovalGranted
    | ev.ApprovalDenied,
) -> str:
    match body:
        case ev.QueueEnqueued():
            return "waits in the merge queue"
        case ev.QueueLeft():
            return f"{body.how} by the merge queue ({body.reason})"
        case ev.EjectionAsked():
            return f"asked out of the merge queue ({body.reason or 'no reason given'})"
        case ev.ApprovalRequested():
            return f"approval requested ({body.needed} needed)"
        case ev.ApprovalGranted():
            return f"approved by {body.by}"
        case ev.ApprovalDenied():
            return f"refused by {body.by} ({body.reason or 'no reason given'})"
