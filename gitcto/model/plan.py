"""Plans: what is wrong with a set of tasks, and an order in which they can be added. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gitcto.model.records import TaskSpec


class PlanError(NamedTuple):
    """Something wrong with one task (or with the whole plan, when ``task`` is empty)."""

    task: str
    code: str
    message: str


def validate(tasks: Sequence[TaskSpec], existing: Collection[str]) -> list[PlanError]:
    """Return every problem of a plan that joins a team which has the ``existing`` tasks."""
    seen = set(existing)
    problems: list[PlanError] = []
    for task in tasks:
        if task.id in seen:
            problems.append(PlanError(task.id, "duplicate", "this id is used twice"))
        seen.add(task.id)
    return problems
