"""State: the fold of a ledger's events, in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from gitcto.model.codec import Event
from gitcto.model.evolve import evolve
from gitcto.model.mail_records import UNDER_WAY, Mail
from gitcto.model.mailroom import Mailroom
from gitcto.model.records import LIVE_STATES, Execution, Record, Task, TaskState, Team


class State:
    """A team's state in memory. Only :meth:`put` changes it, with records that evolving gave."""

    def __init__(self) -> None:
        self.team: Team | None = None
        self.tasks: dict[str, Task] = {}
        self.executions: dict[str, Execution] = {}
        self.ready: dict[str, Task] = {}
        self._dependents: dict[str, list[str]] = {}
        self._live: dict[str, Execution] = {}
        self._room = Mailroom()
        self.open_mail: dict[int, Mail] = {}

    def task(self, task_id: str) -> Task | None:
        """Return a task by id."""
        return self.tasks.get(task_id)

    def execution(self, execution_id: str) -> Execution | None:
        """Return an execution by id."""
        return self.executions.get(execution_id)

    def dependents(self, task_id: str) -> Collection[str]:
        """Return the ids of the tasks that depend directly on one."""
        return self._dependents.get(task_id, ())

    def live(self) -> Collection[Execution]:
        """Return the executions that hold a lease, in the order they were leased."""
        return self._live.values()

    def mail(self, number: int) -> Mail | None:
        """Return a message by number."""
        return self._room.get(number)

    def last_mail(self) -> int:
        """Return the number of the last message."""
        return self._room.last

    def mail_by_key(self, sender: str, recipient: str, key: str) -> Mail | None:
        """Return what was sent on a route with a key."""
        return self._room.by_key(sender, recipient, key)

    def mail_to(self, recipient: str) -> Collection[Mail]:
        """Return every message to an address, in the order in which they were sent."""
        return self._room.to(recipient)

    def mail_count(self, sender: str) -> int:
        """Return how many messages an address has sent."""
        return self._room.sent_by(sender)

    def put(self, records: Iterable[Record]) -> None:
        """Replace records by newer ones."""
        for record in records:
            if isinstance(record, Task):
                self._put_task(record)
            elif isinstance(record, Execution):
                self._put_execution(record)
            elif isinstance(record, Mail):
                self._put_mail(record)
            else:
                self.team = record

    def records(self) -> Iterator[Record]:
        """Yield every record, the team first."""
        if self.team is not None:
            yield self.team
        yield from self.tasks.values()
        yield from self.executions.values()
        yield from self._room

    def _put_task(self, task: Task) -> None:
        task_id = task.spec.id
        if task_id not in self.tasks:
            for needed in task.spec.depends_on:
                self._dependents.setdefault(needed, []).append(task_id)
        self.tasks[task_id] = task
        if task.state is TaskState.QUEUED and task.waiting_for == 0:
            self.ready[task_id] = task
        else:
            self.ready.pop(task_id, None)

    def _put_execution(self, execution: Execution) -> None:
        self.executions[execution.id] = execution
        if execution.state in LIVE_STATES:
            self._live[execution.id] = execution
        else:
            self._live.pop(execution.id, None)

    def _put_mail(self, mail: Mail) -> None:
        self._room.put(mail)
        if mail.state in UNDER_WAY:
            self.open_mail[mail.number] = mail
        else:
            self.open_mail.pop(mail.number, None)


def fold(events: Iterable[Event], start: int = 0) -> State:
    """Return the state that a ledger's events lead to; ``start`` events came before them."""
    state = State()
    for seq, event in enumerate(events, start + 1):
        state.put(evolve(state, event, seq))
    return state
