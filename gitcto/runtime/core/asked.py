"""Who asks policy for what: the run's holder, for one attempt at one task."""

from __future__ import annotations

from gitcto.model.records import Execution, Task
from gitcto.policy.decisions import Attempt
from gitcto.runtime.core.world import World


def asked(world: World, execution: Execution, task: Task) -> Attempt:
    """Return the attempt that policy is asked about."""
    return Attempt(
        actor=world.holder,
        team=world.team,
        task=task.spec,
        execution=execution.id,
        epoch=execution.epoch,
        approved=execution.change if execution.approval == "granted" else "",
        approved_by=execution.approved_by if execution.approval == "granted" else (),
    )
