"""Moving a task from one state to another. Pure."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from gitcto.model.records import Record, Task, TaskState, Team


def counted(team: Team, old: TaskState | None, new: TaskState) -> Team:
    """Return the team with one task more in a state, and one less in its old one."""
    counts = dict(team.counts)
    if old is not None:
        left = counts.pop(old, 0) - 1
        if left > 0:
            counts[old] = left
    counts[new] = counts.get(new, 0) + 1
    return replace(team, counts=counts)


def moved(team: Team, task: Task, to: TaskState, **changes: Any) -> tuple[Record, ...]:
    """Return a task in another state, and the team that counts it there."""
    there = replace(task, state=to, **changes)
    return (there,) if to is task.state else (counted(team, task.state, to), there)
