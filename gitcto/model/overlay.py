"""A state view with some records replaced: what deciding several commands together needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gitcto.model.records import LIVE_STATES, Execution, Record, Task, Team
from gitcto.model.view import StateView


class Overlay:
    """A view on ``base`` in which the records that were put are newer."""

    def __init__(self, base: StateView) -> None:
        self._base = base
        self._team = base.team
        self._tasks: dict[str, Task] = {}
        self._executions: dict[str, Execution] = {}

    @property
    def team(self) -> Team | None:
        """The team, or None before its first event."""
        return self._team

    def task(self, task_id: str) -> Task | None:
        """Return a task by id."""
        return self._tasks.get(task_id) or self._base.task(task_id)

    def execution(self, execution_id: str) -> Execution | None:
        """Return an execution by id."""
        return self._executions.get(execution_id) or self._base.execution(execution_id)

    def dependents(self, task_id: str) -> Collection[str]:
        """Return the ids of the tasks that depend directly on one in the base."""
        return self._base.dependents(task_id)

    def live(self) -> Collection[Execution]:
        """Return the executions that hold a lease."""
        merged = {execution.id: execution for execution in self._base.live()} | self._executions
        return [execution for execution in merged.values() if execution.state in LIVE_STATES]

    def put(self, records: Iterable[Record]) -> None:
        """Replace records by newer ones."""
        for record in records:
            if isinstance(record, Task):
                self._tasks[record.spec.id] = record
            elif isinstance(record, Execution):
                self._executions[record.id] = record
            else:
                self._team = record
