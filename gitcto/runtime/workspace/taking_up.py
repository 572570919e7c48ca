"""Taking up what workers left: one commit for each room, under a ref of its own."""

from __future__ import annotations

from gitcto.git.harvest import HarvestRefused, harvest
from gitcto.model.amending import amended
from gitcto.model.records import Execution, Task
from gitcto.policy.records import Policy
from gitcto.runtime.core.messages import NO_WORK, Work
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import execution_of
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.run_files import LAUNCH
from gitcto.runtime.workspace.coauthors import coauthors
from gitcto.runtime.workspace.commits import attempt_commit
from gitcto.runtime.workspace.left_behind import note_left
from gitcto.runtime.workspace.lfs import LfsCleaner
from gitcto.runtime.workspace.rooms import cone_of_room


def take_up(context: Context, task: Task, execution: Execution) -> Work:
    """Harvest a room into a commit under its ref; ``execution`` is as the room knows it.

    What is not taken up with the rest is noted, so that its room stays. Raises
    :class:`HarvestRefused` when the room is gone or holds what must not be taken up.
    Doing it twice gives the same commit.
    """
    room = context.layout.room(execution.id)
    place = context.layout.place(execution.id)
    taken = harvest(
        context.repository,
        room,
        execution.base,
        place,
        cone=cone_of_room(context, execution),
        clean=LfsCleaner(context, execution, limits_of(context.policy)),
    )
    context.effects.crash_point("attempt.harvested")
    note_left(context.layout, execution, taken.dropped)
    others = coauthors(context, execution, taken.tree)
    owner = amended(execution, id=execution_of(execution.id))
    commit = attempt_commit(context, task.spec, owner, taken.tree, others)
    pin = context.layout.execution_ref(execution.id)
    current = context.refs.read(pin)
    if current != commit:
        context.refs.compare_and_swap(pin, current, commit)
    context.effects.crash_point("attempt.kept")
    return Work(commit=commit, tree=taken.tree, changed=len(taken.changes))


def work_unseen(context: Context, turn: Turn) -> Work | None:
    """Return what a worker left that nobody saw start; None when its room must stay as it is.

    A room in which no program can have run holds no work.
    """
    layout, seated = context.layout, turn.seated
    launched = (layout.records(turn.run) / LAUNCH).exists() or not turn.is_first_here
    if not turn.step.edits or not launched or not layout.room(seated.id).exists():
        return NO_WORK
    try:
        return take_up(context, turn.task, seated)
    except HarvestRefused:
        return None


def limits_of(policy: Policy) -> workers.Limits:
    """Return what one step may use."""
    limits = policy.limits
    return workers.Limits(
        wall_s=limits.wall_s,
        idle_s=limits.idle_s,
        output_bytes=limits.output_mib << 20,
        output_lines=limits.output_lines,
        memory_bytes=limits.memory_mib << 20,
        processes=limits.processes,
        file_bytes=limits.file_mib << 20,
        disk_bytes=limits.disk_mib << 20,
    )
