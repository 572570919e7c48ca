"""Who asks policy for what: the run's holder, for one attempt at one task."""

from __future__ import annotations

from gitcto.model.records import Execution, Task
from gitcto.policy.decisions import Attempt
from gitcto.runtime.context import Context


def asked(context: Context, execution: Execution, task: Task) -> Attempt:
    """Return the attempt that policy is asked about."""
    return Attempt(
        actor=context.holder,
        team=context.layout.team,
        task=task.spec,
        execution=execution.id,
        epoch=execution.epoch,
        approved=execution.change if execution.approval == "granted" else "",
        approved_by=execution.approved_by if execution.approval == "granted" else (),
    )
