"""Whether a change has the approvals that its tier demands."""

from __future__ import annotations

from typing import Literal

from gitcto.model.queue_commands import RequestApproval
from gitcto.model.records import Execution, Task
from gitcto.policy.records import Policy
from gitcto.runtime.context import Context
from gitcto.runtime.failures import Failure

_HOUR_MS = 3_600_000


def request(
    context: Context, task: Task, execution: Execution, change: str
) -> RequestApproval | None:
    """Return the command that asks persons to approve a change, when its tier demands it."""
    demanded = context.policy.approvals.get(task.spec.tier)
    if demanded is None:
        return None
    return RequestApproval(
        execution=execution.id,
        epoch=execution.epoch,
        change=change,
        needed=demanded.count,
        expires_ms=context.effects.now_ms() + demanded.expires_h * _HOUR_MS,
    )


def standing(
    policy: Policy, task: Task, execution: Execution, now_ms: int
) -> Literal["granted", "waits"] | Failure:
    """Return whether a change may be enqueued, or why it never will be."""
    if task.spec.tier not in policy.approvals or execution.approval == "granted":
        return "granted"
    if execution.approval == "denied":
        return Failure(reason="approval_denied", detail="a person said no", block=True)
    if execution.approval and now_ms >= execution.approvals_expire_ms:
        detail = "nobody answered in time"
        return Failure(reason="approval_expired", detail=detail, charged=False, block=True)
    return "waits"
