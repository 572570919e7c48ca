"""A team's state by point look-ups in the sidecar: what ``decide`` and ``evolve`` may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model import rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

    from gitcto.model.mail_records import Mail
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

    def mail(self, number: int) -> Mail | None:
        """Return a message by number."""
        query = "SELECT body FROM mail WHERE team = ? AND number = ?"
        found = self._db.execute(query, (self._name, number)).fetchone()
        return None if found is None else rows.mail(found[0])

    def last_mail(self) -> int:
        """Return the number of the last message."""
        query = "SELECT MAX(number) FROM mail WHERE team = ?"
        return int(self._db.execute(query, (self._name,)).fetchone()[0] or 0)

    def mail_by_key(self, sender: str, recipient: str, key: str) -> Mail | None:
        """Return what was sent on a route with a key."""
        query = "SELECT body FROM mail WHERE team = ? AND sender = ? AND recipient = ? AND key = ?"
        found = self._db.execute(query, (self._name, sender, recipient, key)).fetchone()
        return None if found is None else rows.mail(found[0])

    def mail_to(self, recipient: str) -> Collection[Mail]:
        """Return every message to an address, in the order in which they were sent."""
        query = "SELECT body FROM mail WHERE team = ? AND recipient = ? ORDER BY number"
        return [rows.mail(row[0]) for row in self._db.execute(query, (self._name, recipient))]

    def mail_count(self, sender: str) -> int:
        """Return how many messages an address has sent."""
        query = "SELECT COUNT(*) FROM mail WHERE team = ? AND sender = ?"
        return int(self._db.execute(query, (self._name, sender)).fetchone()[0])
