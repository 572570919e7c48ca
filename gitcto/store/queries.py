"""What commands ask of a team: every answer costs the same at a thousand and a million events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.model import rows
from gitcto.model.codec import Event, decode
from gitcto.model.mail_records import Mail, MailState
from gitcto.model.records import LIVE_STATES, Execution, Record, Task, TaskState, Team
from gitcto.store.heartbeat import beats
from gitcto.store.projection import Cursor, read_cursor
from gitcto.store.view import SidecarView

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

_ENDED = (TaskState.FAILED_TERMINAL, TaskState.BLOCKED, TaskState.FAILED)
PAGE = 500
"""Events read at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One event with its place: number ``seq`` of the ledger, inside git commit ``commit``."""

    seq: int
    event: Event
    commit: str
    line: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A team at a glance.

    ``live`` are the tasks that somebody works on, ``ready`` the next that could be started,
    ``ended`` the last that failed or wait for a person; ``events`` the newest first. ``beats``
    says when each execution's worker was last looked after on this machine (milliseconds since
    the epoch).
    """

    team: Team | None
    cursor: Cursor
    live: tuple[Task, ...]
    ready: tuple[Task, ...]
    ended: tuple[Task, ...]
    executions: tuple[Execution, ...]
    events: tuple[StoredEvent, ...]
    beats: Mapping[str, int]


def summary(db: sqlite3.Connection, team: str, rows_each: int = 10) -> Summary:
    """Return a team at a glance, with at most ``rows_each`` of everything that can grow."""
    view = SidecarView(db, team)
    ended = tasks_in(db, team, _ENDED, rows_each)
    return Summary(
        team=view.team,
        cursor=read_cursor(db, team),
        live=tuple(tasks_in(db, team, sorted(LIVE_STATES), rows_each)),
        ready=tuple(ready(db, team, rows_each)),
        ended=tuple(ended),
        executions=tuple(view.live()),
        events=tuple(newest(db, team, rows_each)),
        beats=beats(db, team),
    )


def tasks_in(
    db: sqlite3.Connection, team: str, states: Iterable[TaskState], limit: int
) -> list[Task]:
    """Return the tasks that came into one of ``states`` last, the newest first."""
    query = """SELECT changed, body FROM task WHERE team = ? AND state = ?
        ORDER BY changed DESC LIMIT ?"""
    found = [row for state in states for row in db.execute(query, (team, state.value, limit))]
    found.sort(key=lambda row: -int(row[0]))
    return [rows.task(body) for _, body in found[:limit]]


def ready(db: sqlite3.Connection, team: str, limit: int) -> list[Task]:
    """Return tasks that could be started now, in the order of the plan."""
    query = "SELECT body FROM task WHERE team = ? AND ready = 1 ORDER BY ord LIMIT ?"
    return [rows.task(row[0]) for row in db.execute(query, (team, limit))]


def all_tasks(db: sqlite3.Connection, team: str) -> list[Task]:
    """Return every task, in the order of the plan."""
    found = db.execute("SELECT ord, body FROM task WHERE team = ?", (team,)).fetchall()
    return [rows.task(body) for _, body in sorted(found, key=lambda row: int(row[0]))]


def executions_of(db: sqlite3.Connection, team: str, task_id: str) -> list[Execution]:
    """Return every attempt at a task, the first one first."""
    query = "SELECT body FROM execution WHERE team = ? AND task = ? ORDER BY ord"
    return [rows.execution(row[0]) for row in db.execute(query, (team, task_id))]


def preserved(db: sqlite3.Connection, team: str) -> list[Execution]:
    """Return the executions whose work is kept under a ref, as far as the ledger knows."""
    query = "SELECT body FROM execution WHERE team = ? AND instr(body, ?) ORDER BY ord"
    found = [rows.execution(body) for (body,) in db.execute(query, (team, b'"preserved":"refs/'))]
    return [each for each in found if each.preserved]


def mail_in(db: sqlite3.Connection, team: str, states: Iterable[MailState]) -> list[Mail]:
    """Return the messages in some states, in the order in which they were sent."""
    query = "SELECT body FROM mail WHERE team = ? AND state = ?"
    found = [row for state in sorted(states) for row in db.execute(query, (team, state.value))]
    return sorted((rows.mail(row[0]) for row in found), key=lambda mail: mail.number)


def newest_mail(db: sqlite3.Connection, team: str, limit: int) -> list[Mail]:
    """Return the last messages, the newest first."""
    query = "SELECT body FROM mail WHERE team = ? ORDER BY number DESC LIMIT ?"
    return [rows.mail(row[0]) for row in db.execute(query, (team, limit))]


def changed_after(db: sqlite3.Connection, team: str, seq: int) -> tuple[Record, ...]:
    """Return the records that events after number ``seq`` replaced, the team first."""
    at = (team, seq)
    query = "SELECT body FROM {} WHERE {} = ? AND changed > ? ORDER BY changed"
    teams = db.execute(query.format("team", "name"), at)
    tasks = db.execute(query.format("task", "team"), at)
    executions = db.execute(query.format("execution", "team"), at)
    mail = db.execute(query.format("mail", "team"), at)
    return (
        *(rows.team(row[0]) for row in teams),
        *(rows.task(row[0]) for row in tasks),
        *(rows.execution(row[0]) for row in executions),
        *(rows.mail(row[0]) for row in mail),
    )


_EVENTS = """SELECT event.seq, ledger_commit.oid, event.line FROM event
    JOIN ledger_commit ON ledger_commit.team = event.team AND ledger_commit.number = event.number
    WHERE event.team = ? AND event.seq > ? AND event.seq < ? {} ORDER BY event.seq {} LIMIT ?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which events: those between two numbers (exclusive), of one task or of all."""

    after: int
    before: int
    task: str | None
    newest_first: bool
    limit: int = PAGE


def page(db: sqlite3.Connection, team: str, wanted: Page) -> list[StoredEvent]:
    """Return one page of events."""
    only = "" if wanted.task is None else "AND event.task <> '' AND event.task = ?"
    query = _EVENTS.format(only, "DESC" if wanted.newest_first else "ASC")
    given = [team, wanted.after, wanted.before]
    if wanted.task is not None:
        given.append(wanted.task)
    found = db.execute(query, (*given, wanted.limit))
    return [
        StoredEvent(seq=seq, event=decode(line), commit=oid, line=line) for seq, oid, line in found
    ]


def queue_log(db: sqlite3.Connection, team: str, before: int) -> list[StoredEvent]:
    """Return the merge queue's events below number ``before``, from its last opening on."""
    query = """SELECT seq FROM event WHERE team = ? AND seq < ? AND kind = 'queue.opened'
        ORDER BY seq DESC LIMIT 1"""
    opened = db.execute(query, (team, before)).fetchone()
    if opened is None:
        return []
    only = "AND event.kind >= 'queue.' AND event.kind < 'queue/'"
    query = _EVENTS.format(only, "ASC")
    found = db.execute(query, (team, opened[0] - 1, before, -1))
    return [
        StoredEvent(seq=seq, event=decode(line), commit=oid, line=line) for seq, oid, line in found
    ]


def count(db: sqlite3.Connection, team: str, kind: str) -> int:
    """Return how many events of one kind there are; looks at every event."""
    query = "SELECT COUNT(*) FROM event WHERE team = ? AND kind = ?"
    return int(db.execute(query, (team, kind)).fetchone()[0])


def newest(db: sqlite3.Connection, team: str, limit: int) -> list[StoredEvent]:
    """Return the last events, the newest first."""
    wanted = Page(after=0, before=1 << 62, task=None, newest_first=True, limit=limit)
    return page(db, team, wanted)
