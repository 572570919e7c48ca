"""The fold of a ledger into the sidecar's tables, inside one open SQLite transaction.

Evolving an event reads through this view and writes into its memory; :meth:`Projection.flush` puts
everything into the tables at once. So one event and a million cost the same each, and both
leave the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.model.codec import GENESIS, Event, LineError, Opaque, canonical, decode, digest
from gitcto.model.evolve import evolve
from gitcto.model.mail_records import Mail
from gitcto.model.mailroom import Mailroom
from gitcto.model.records import LIVE_STATES, Execution, Record, Task, TaskState, Team
from gitcto.store.commits import LedgerBroken, LedgerCommit, is_canonical
from gitcto.store.view import SidecarView

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the sidecar has followed a ledger.

    ``tip`` is the last commit applied, ``digest`` the SHA-256 of its last line, ``seconds`` its
    date, ``unknown`` the number of events so far that this version cannot read.
    """

    tip: str | None = None
    seq: int = 0
    commits: int = 0
    digest: str = GENESIS
    seconds: int = 0
    unknown: int = 0


def read_cursor(db: sqlite3.Connection, team: str) -> Cursor:
    """Return how far the sidecar has followed ``team``'s ledger."""
    query = "SELECT tip, seq, commits, digest, seconds, unknown FROM cursor WHERE team = ?"
    found = db.execute(query, (team,)).fetchone()
    if found is None:
        return Cursor()
    tip, seq, commits, last, seconds, unknown = found
    return Cursor(tip=tip, seq=seq, commits=commits, digest=last, seconds=seconds, unknown=unknown)


class Projection:
    """A :class:`gitcto.model.state.StateView` that can be moved forward by ledger commits."""

    def __init__(self, db: sqlite3.Connection, team: str) -> None:
        self.cursor = read_cursor(db, team)
        self._db = db
        self._name = team
        self._rows = SidecarView(db, team)
        self._forget()

    def _forget(self) -> None:
        self._team: Team | None = None
        self._tasks: dict[str, Task | None] = {}
        self._executions: dict[str, Execution | None] = {}
        self._dependents: dict[str, list[str]] = {}
        self._order: dict[str, int] = {}
        self._room = Mailroom()
        self._changed: dict[tuple[type, str], int] = {}
        self._changed_mail: dict[int, int] = {}
        self._new_commits: list[tuple[object, ...]] = []
        self._new_events: list[tuple[object, ...]] = []
        self._new_dependencies: list[tuple[object, ...]] = []

    @property
    def team(self) -> Team | None:
        """The team, or None before its first event."""
        if self._team is None:
            self._team = self._rows.team
        return self._team

    def task(self, task_id: str) -> Task | None:
        """Return a task by id."""
        if task_id not in self._tasks:
            self._tasks[task_id] = self._rows.task(task_id)
        return self._tasks[task_id]

    def execution(self, execution_id: str) -> Execution | None:
        """Return an execution by id."""
        if execution_id not in self._executions:
            self._executions[execution_id] = self._rows.execution(execution_id)
        return self._executions[execution_id]

    def dependents(self, task_id: str) -> Collection[str]:
        """Return the ids of the tasks that depend directly on one, in the order they came."""
        return [*self._rows.dependents(task_id), *self._dependents.get(task_id, ())]

    def live(self) -> Collection[Execution]:
        """Return the executions that hold a lease, in the order they were leased."""
        seen = {x.id: self._executions.get(x.id) or x for x in self._rows.live()}
        seen |= {key: x for key, x in self._executions.items() if x and key in self._order}
        return [x for x in seen.values() if x.state in LIVE_STATES]

    def mail(self, number: int) -> Mail | None:
        """Return a message by number."""
        return self._room.get(number) or self._rows.mail(number)

    def last_mail(self) -> int:
        """Return the number of the last message."""
        return max(self._room.last, self._rows.last_mail())

    def mail_by_key(self, sender: str, recipient: str, key: str) -> Mail | None:
        """Return what was sent on a route with a key."""
        found = self._room.by_key(sender, recipient, key)
        return found or self._rows.mail_by_key(sender, recipient, key)

    def mail_to(self, recipient: str) -> Collection[Mail]:
        """Return every message to an address, in the order in which they were sent."""
        return self._room.over(recipient, self._rows.mail_to(recipient))

    def mail_count(self, sender: str) -> int:
        """Return how many messages an address has sent."""
        new = sum(mail.sender == sender for mail in self._room if not self._rows.mail(mail.number))
        return new + self._rows.mail_count(sender)

    def apply(self, commit: LedgerCommit) -> tuple[tuple[Event, ...], tuple[Record, ...]]:
        """Fold one commit; return its events and the records they replaced.

        Nothing is written before :meth:`flush`. Raises :class:`LedgerBroken` when a line is not an
        event or does not continue the chain.
        """
        start = self.cursor
        events, last = _chained(commit, start.digest)
        records: dict[tuple[type, str], Record] = {}
        for seq, (event, line) in enumerate(zip(events, commit.lines, strict=True), start.seq + 1):
            for record in evolve(self, event, seq):
                key = self._put(record, seq)
                records[key] = record
            row = (seq, start.commits + 1, event.id, event.kind, self._task_of(event), line)
            self._new_events.append((self._name, *row))
        self._note(commit)
        self.cursor = Cursor(
            tip=commit.oid,
            seq=start.seq + len(events),
            commits=start.commits + 1,
            digest=last,
            seconds=max(start.seconds, commit.seconds),
            unknown=start.unknown + sum(isinstance(event.body, Opaque) for event in events),
        )
        return events, tuple(records.values())

    def _note(self, commit: LedgerCommit) -> None:
        raw = None if is_canonical(commit) else commit.raw
        row = (commit.oid, commit.tree, commit.seconds, commit.subject, raw)
        self._new_commits.append((self._name, self.cursor.commits + 1, *row))

    def _put(self, record: Record, seq: int) -> tuple[type, str]:
        if isinstance(record, Team):
            self._team = record
            key: tuple[type, str] = (Team, self._name)
        elif isinstance(record, Task):
            key = (Task, record.spec.id)
            if self.task(record.spec.id) is None:
                self._depend(record)
            self._tasks[record.spec.id] = record
        elif isinstance(record, Mail):
            key = (Mail, str(record.number))
            self._room.put(record)
            self._changed_mail[record.number] = seq
            return key
        else:
            key = (Execution, record.id)
            self.execution(record.id)
            self._order.setdefault(record.id, seq)
            self._executions[record.id] = record
        self._changed[key] = seq
        return key

    def _depend(self, task: Task) -> None:
        for needed in task.spec.depends_on:
            self._dependents.setdefault(needed, []).append(task.spec.id)
            self._new_dependencies.append((self._name, needed, task.order, task.spec.id))

    def _task_of(self, event: Event) -> str:
        body = event.body
        if isinstance(body, Opaque):
            task: object = body.fields.get("task", "")
            execution_id: object = body.fields.get("execution", "")
        else:
            task = getattr(body, "task", "")
            execution_id = getattr(body, "execution", "")
        if task and isinstance(task, str):
            return task
        spec = getattr(task, "id", "")
        if spec and isinstance(spec, str):
            return spec
        execution = self.execution(execution_id) if isinstance(execution_id, str) else None
        return execution.task if execution else ""

    def flush(self) -> None:
        """Write everything folded since the last flush into the tables."""
        many = self._db.executemany
        many("INSERT INTO ledger_commit VALUES (?, ?, ?, ?, ?, ?, ?)", self._new_commits)
        many("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", self._new_events)
        many("INSERT OR IGNORE INTO dependency VALUES (?, ?, ?, ?)", self._new_dependencies)
        many("INSERT OR REPLACE INTO team VALUES (?, ?, ?)", self._team_rows())
        many(_UPSERT_TASK, self._task_rows())
        many(_UPSERT_EXECUTION, self._execution_rows())
        many(_UPSERT_MAIL, self._mail_rows())
        at = self.cursor
        row = (self._name, at.tip, at.seq, at.commits, at.digest, at.seconds, at.unknown)
        self._db.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self._forget()

    def _changes(self, kind: type) -> Iterable[tuple[str, int]]:
        return ((key, seq) for (what, key), seq in self._changed.items() if what is kind)

    def _team_rows(self) -> Iterator[tuple[object, ...]]:
        for key, seq in self._changes(Team):
            yield (key, seq, canonical(self._team))

    def _task_rows(self) -> Iterator[tuple[object, ...]]:
        for key, seq in self._changes(Task):
            task = self._tasks[key]
            if task is not None:
                ready = task.state is TaskState.QUEUED and task.waiting_for == 0
                place = (task.state.value, int(ready), task.order, seq)
                yield (self._name, key, *place, canonical(task))

    def _execution_rows(self) -> Iterator[tuple[object, ...]]:
        for key, seq in self._changes(Execution):
            execution = self._executions[key]
            if execution is not None:
                place = (execution.task, int(execution.state in LIVE_STATES), self._order[key], seq)
                yield (self._name, key, *place, canonical(execution))

    def _mail_rows(self) -> Iterator[tuple[object, ...]]:
        for mail in self._room:
            route = (mail.sender, mail.recipient, mail.key, mail.state.value)
            changed = self._changed_mail[mail.number]
            yield (self._name, mail.number, *route, changed, canonical(mail))


def _chained(commit: LedgerCommit, prev: str) -> tuple[tuple[Event, ...], str]:
    events = []
    for line in commit.lines:
        try:
            event = decode(line)
        except LineError as error:
            message = f"ledger commit {commit.oid[:12]} holds a line that is no event: {error}"
            raise LedgerBroken(message, _HINT) from error
        if event.prev != prev:
            message = f"event {event.id} in ledger commit {commit.oid[:12]} breaks the hash chain"
            raise LedgerBroken(message, _HINT)
        prev = digest(line)
        events.append(event)
    return tuple(events), prev


_HINT = "somebody rewrote this ledger: fetch refs/cto/* from a clone that still has the true one"

_UPSERT_TASK = """INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(team, id) DO UPDATE
    SET state = excluded.state, ready = excluded.ready, ord = excluded.ord,
        changed = excluded.changed, body = excluded.body"""

_UPSERT_EXECUTION = """INSERT INTO execution VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT(team, id) DO UPDATE
    SET task = excluded.task, live = excluded.live, changed = excluded.changed,
        body = excluded.body"""

_UPSERT_MAIL = """INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT(team, number) DO UPDATE
    SET state = excluded.state, changed = excluded.changed, body = excluded.body"""
