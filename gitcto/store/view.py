"""A team's state by point look-ups in the sidecar: what ``decide`` and ``evolve`` may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model import rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from gitcto.model.records import Execution, Task, Team


class SidecarView:
    """One team's records as they stand in the sidecar now; every question is an indexed query."""

    def __init__(self, db: sqlite3.Connection, team: str) -> None:
        self._db = db
        self._name = team

    @property
    def team(self) -> Team | None:
        """The team, or None before its first event."""
        found = self._db.execute("SELECT body FROM team WHERE name = ?", (self._name,)).fetchone()
        return None if found is None else rows.team(found[0])

    def task(self, task_id: str) -> Task | None:
        """Return a task by id."""
        query = "SELECT body FROM task WHERE team = ? AND id = ?"
        found = self._db.execute(query, (self._name, task_id)).fetchone()
        return None if found is None else rows.task(found[0])

    def execution(self, execution_id: str) -> Execution | None:
        """Return an execution by id."""
        query = "SELECT body FROM execution WHERE team = ? AND id = ?"
        found = self._db.execute(query, (self._name, execution_id)).fetchone()
        return None if found is None else rows.execution(found[0])

    def dependents(self, task_id: str) -> Collection[str]:
        """Return the ids of the tasks that depend directly on one, in the order they came."""
        query = "SELECT task FROM dependency WHERE team = ? AND needed = ? ORDER BY ord"
        return [row[0] for row in self._db.execute(query, (self._name, task_id))]

    def live(self) -> Collection[Execution]:
        """Return the executions that hold a lease, in the order they were leased."""
        query = "SELECT body FROM execution WHERE team = ? AND live = 1 ORDER BY ord"
        return [rows.execution(row[0]) for row in self._db.execute(query, (self._name,))]
