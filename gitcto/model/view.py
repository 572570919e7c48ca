"""The narrow view of a team's state that deciding and evolving need."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gitcto.model.mail_records import Mail
from gitcto.model.records import Execution, Task, Team


class StateView(Protocol):
    """What :func:`evolve` and ``decide`` may ask; memory and the sidecar both answer."""

    @property
    def team(self) -> Team | None:
        """The team, or None before its first event."""

    def task(self, task_id: str) -> Task | None:
        """Return a task by id."""

    def execution(self, execution_id: str) -> Execution | None:
        """Return an execution by id."""

    def dependents(self, task_id: str) -> Collection[str]:
        """Return the ids of the tasks that depend directly on one."""

    def live(self) -> Collection[Execution]:
        """Return the executions that hold a lease."""

    def mail(self, number: int) -> Mail | None:
        """Return a message by number."""

    def last_mail(self) -> int:
        """Return how many messages were ever sent: the number of the last one."""

    def mail_by_key(self, sender: str, recipient: str, key: str) -> Mail | None:
        """Return what was sent on a route with a key."""

    def mail_to(self, recipient: str) -> Collection[Mail]:
        """Return every message to an address, in the order in which they were sent."""

    def mail_count(self, sender: str) -> int:
        """Return how many messages an address has sent."""
