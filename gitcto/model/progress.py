"""How far a team is: counts, percentages and lists, as a sprint tracker shows them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import get_args

from msgspec import Struct

from gitcto.model.records import Task, TaskState, Tier

IN_PROGRESS = (
    TaskState.DISPATCHING,
    TaskState.EXECUTING,
    TaskState.VALIDATING,
    TaskState.INTEGRATING,
)
"""States in which somebody works on a task, in the order of its life."""

FAILED = (TaskState.FAILED, TaskState.FAILED_TERMINAL)


class Count(Struct, frozen=True, kw_only=True):
    """Tasks by where they stand; ``working`` has those in progress by state.

    ``total`` is the sum of all; ``percent_done`` is rounded down, so that 100 means all of them,
    and None when there are none.
    """

    total: int
    done: int
    queued: int
    working: dict[str, int]
    blocked: int
    failed: int
    percent_done: int | None

    @property
    def in_progress(self) -> int:
        """How many are worked on."""
        return sum(self.working.values())


class Progress(Struct, frozen=True, kw_only=True):
    """A team's tasks, counted whole, by tier and by owner, and listed in the order of the plan.

    ``owners`` has tasks without an owner under an empty name.
    """

    overall: Count
    tiers: dict[str, Count]
    owners: dict[str, Count]
    done: tuple[Task, ...]
    working: tuple[Task, ...]
    blocked: tuple[Task, ...]
    failed: tuple[Task, ...]


def progress(tasks: Sequence[Task]) -> Progress:
    """Return how far a team is. The same tasks give the same, whatever order they come in."""
    ordered = sorted(tasks, key=lambda task: task.order)
    return Progress(
        overall=_count(ordered),
        tiers=_by(ordered, lambda task: task.spec.tier, get_args(Tier)),
        owners=_by(ordered, lambda task: task.spec.owner, ()),
        done=_in(ordered, (TaskState.DONE,)),
        working=_in(ordered, IN_PROGRESS),
        blocked=_in(ordered, (TaskState.BLOCKED,)),
        failed=_in(ordered, FAILED),
    )


def _in(tasks: Iterable[Task], states: Iterable[TaskState]) -> tuple[Task, ...]:
    wanted = frozenset(states)
    return tuple(task for task in tasks if task.state in wanted)


def _by(
    tasks: Sequence[Task], key: Callable[[Task], str], always: Iterable[str]
) -> dict[str, Count]:
    names = sorted({*always, *map(key, tasks)})
    return {name: _count([task for task in tasks if key(task) == name]) for name in names}


def _count(tasks: Sequence[Task]) -> Count:
    states: Mapping[TaskState, int] = {
        state: sum(task.state is state for task in tasks) for state in TaskState
    }
    done, total = states[TaskState.DONE], len(tasks)
    return Count(
        total=total,
        done=done,
        queued=states[TaskState.QUEUED],
        working={state.value: states[state] for state in IN_PROGRESS},
        blocked=states[TaskState.BLOCKED],
        failed=sum(states[state] for state in FAILED),
        percent_done=100 * done // total if total else None,
    )
