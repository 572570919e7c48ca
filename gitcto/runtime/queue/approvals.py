"""Persons' approvals: when they are asked for, and what a change may do until they answer.

An approval is about one change, by its id. Another change needs another one, and time never
approves anything.
"""

from __future__ import annotations

from typing import Literal

from gitcto.model.queue_commands import RequestApproval
from gitcto.model.records import Execution, Task
from gitcto.policy.records import Policy, TierApproval
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.world import World

_HOUR_MS = 3_600_000


def request(world: World, task: Task, execution: Execution, change: str) -> RequestApproval | None:
    """Return the command that asks persons about a change, or None when nobody need be asked.

    Nobody is asked twice about the same change, unless policy asks more of them by now than when
    they were asked, or than those who answered are.
    """
    asks = world.policy.approvals.get(task.spec.tier)
    if asks is None or (execution.change == change and _stands(asks, execution)):
        return None
    return RequestApproval(
        execution=execution.id,
        epoch=execution.epoch,
        change=change,
        needed=asks.count,
        expires_ms=world.effects.now_ms() + asks.expires_h * _HOUR_MS,
    )


def standing(
    policy: Policy, task: Task, execution: Execution, now_ms: int
) -> Literal["granted", "waits"] | Failure:
    """Return whether an execution's change may land as far as persons are concerned.

    ``granted`` also where policy asks nobody, ``waits`` also before anybody was asked. A refusal,
    and a request that nobody answered in time, come back as the failure of the attempt; neither is
    charged to the task, and a person must let it go on.
    """
    if execution.approval == "denied":
        detail = f"a person refused change {execution.change[:12]}"
        return Failure(reason="approval_denied", detail=detail, charged=False, block=True)
    asks = policy.approvals.get(task.spec.tier)
    if asks is None or (execution.approval == "granted" and _enough(asks, execution)):
        return "granted"
    if execution.approval == "requested" and now_ms >= execution.approvals_expire_ms:
        given, needed = len(execution.approved_by), execution.approvals_needed
        detail = f"{given} of {needed} persons approved change {execution.change[:12]} in time"
        return Failure(reason="approval_expired", detail=detail, charged=False, block=True)
    return "waits"


def _stands(asks: TierApproval, x: Execution) -> bool:
    match x.approval:
        case "requested":
            return x.approvals_needed == asks.count
        case "granted":
            return _enough(asks, x)
        case other:
            return other == "denied"


def _enough(asks: TierApproval, x: Execution) -> bool:
    return len(asks.counted(x.approved_by)) >= asks.count
