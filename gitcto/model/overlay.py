"""A state view with some records replaced: what deciding several commands together needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gitcto.model.mail_records import Mail
from gitcto.model.mailroom import Mailroom
from gitcto.model.records import LIVE_STATES, Execution, Record, Task, Team
from gitcto.model.view import StateView


class Overlay:
    """A view on ``base`` in which the records that were put are newer."""

    def __init__(self, base: StateView) -> None:
        self._base = base
        self._team = base.team
        self._tasks: dict[str, Task] = {}
        self._executions: dict[str, Execution] = {}
        self._room = Mailroom()

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

    def mail(self, number: int) -> Mail | None:
        """Return a message by number."""
        return self._room.get(number) or self._base.mail(number)

    def last_mail(self) -> int:
        """Return the number of the last message."""
        return max(self._room.last, self._base.last_mail())

    def mail_by_key(self, sender: str, recipient: str, key: str) -> Mail | None:
        """Return what was sent on a route with a key."""
        found = self._room.by_key(sender, recipient, key)
        return found or self._base.mail_by_key(sender, recipient, key)

    def mail_to(self, recipient: str) -> Collection[Mail]:
        """Return every message to an address, in the order in which they were sent."""
        return self._room.over(recipient, self._base.mail_to(recipient))

    def mail_count(self, sender: str) -> int:
        """Return how many messages an address has sent."""
        new = sum(mail.sender == sender for mail in self._room if not self._base.mail(mail.number))
        return new + self._base.mail_count(sender)

    def put(self, records: Iterable[Record]) -> None:
        """Replace records by newer ones."""
        for record in records:
            if isinstance(record, Task):
                self._tasks[record.spec.id] = record
            elif isinstance(record, Execution):
                self._executions[record.id] = record
            elif isinstance(record, Mail):
                self._room.put(record)
            else:
                self._team = record
