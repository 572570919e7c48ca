"""``git cto status``: how a team stands, at the same price for a short and a very long history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitcto.cli import wording
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode
from gitcto.model.mail_records import UNDER_WAY, is_person
from gitcto.model.records import LIVE_STATES, TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitcto.cli.app import App
    from gitcto.model.records import Execution, Task, Team
    from gitcto.store.queries import Summary
    from gitcto.store.reader import LedgerReader

SMALL = 50
"""Up to so many tasks are all listed; of more, those that somebody can do something about."""

_WATCH_EVERY_S = 1.0
_CLEAR = b"\x1b[H\x1b[2J"


@click.command()
@team_option
@click.option("--all", "every", is_flag=True, help="List every task, however many there are.")
@click.option("--line", is_flag=True, help="Write one short line, for a prompt.")
@click.option("--watch", is_flag=True, help="Write it again whenever the ledger has moved.")
@json_option
@pass_app
def status(  # noqa: PLR0913 - one parameter for each option
    app: App,
    *,
    team: str | None,
    every: bool,
    line: bool,
    watch: bool,
    as_json: bool,
) -> None:
    """Show how a team stands.

    Lists the tasks that are worked on, those that could be started and those that wait for a
    person; of a team of up to 50 tasks, all of them.
    """
    with app.reader(team) as reader:
        for _ in _moments(app, reader) if watch else (None,):
            if watch and app.host.stdout_tty and not as_json:
                app.output.raw(_CLEAR)
            if as_json:
                app.output.json(plain_status(app, reader, every=every))
            elif line:
                app.output.data(one_line(known_team(reader)))
            else:
                show_status(app, reader, every=every)


def known_team(reader: LedgerReader) -> Team:
    """Return the team, or raise ``CtoError`` (exit 128) when its ledger holds none."""
    team = reader.view().team
    if team is None:
        raise _empty(reader)
    return team


def _empty(reader: LedgerReader) -> CtoError:
    return CtoError(
        f"{reader.ref} holds no team",
        "bring the true ledger with `git fetch <remote> 'refs/cto/*:refs/cto/*'`",
        ExitCode.GIT,
    )


def _moments(app: App, reader: LedgerReader) -> Iterator[None]:
    """Yield at once, and then each time the ledger has moved, until somebody interrupts."""
    seen: str | None = ""
    while True:
        tip = reader.tip()
        if tip != seen:
            seen = tip
            yield
            if app.host.stdout_tty:
                app.output.hint("this view follows the ledger; end it with Ctrl-C")
        pause_for(_WATCH_EVERY_S)


def pause_for(seconds: float) -> None:
    """Do nothing for a while."""
    from threading import Event

    Event().wait(seconds)


def one_line(team: Team) -> str:
    """Return a team as one line: ``main running 3/12 done, 2 live, 1 needs you``."""
    count = team.counts
    total = sum(count.values())
    live = sum(count.get(state, 0) for state in LIVE_STATES)
    stuck = sum(count.get(state, 0) for state in wording.NEEDS_A_PERSON) + team.unclear
    parts = [f"{count.get(TaskState.DONE, 0)}/{total} done"]
    parts += [f"{live} live"] if live else []
    parts += [f"{stuck} {'needs' if stuck == 1 else 'need'} you"] if stuck else []
    return f"{team.name} {team.mode.value} {', '.join(parts)}"


def show_status(app: App, reader: LedgerReader, *, every: bool) -> None:
    """Write how a team stands; ``every`` task of it, however many there are."""
    out = app.output
    glance = reader.summary(rows_each=SMALL)
    team = glance.team
    if team is None:
        raise _empty(reader)
    branch = team.target.removeprefix("refs/heads/")
    out.data(f"Team {team.name} is {team.mode.value} and lands on {branch}")
    out.data(wording.counts(team))
    if team.queue_paused:
        out.data("The merge queue is paused: nothing lands before `git cto queue resume`")
    if team.unclear:
        some = "1 effect waits" if team.unclear == 1 else f"{team.unclear} effects wait"
        out.data(f"{some} for a person: `git cto effects list`")
    for line in _resting(app, team, glance.ready):
        out.data(line)
    listed = tuple(_listed(reader, glance, team, every=every))
    if listed:
        out.data()
        _table(app, reader, listed)
    view = reader.view()
    _alarms(app, filter(None, (view.execution(task.execution) for task in listed)))
    _approvals(app, glance.executions)
    _mail(app, reader)
    _rooms(app, reader)
    for task in glance.ended:
        if task.state in wording.NEEDS_A_PERSON:
            out.data()
            for text in wording.trouble(task, view.execution(task.execution)):
                out.data(text)
    if team.unknown:
        out.warn(f"{team.unknown} events were written by a newer git-cto and are not shown here")


def _resting(app: App, team: Team, ready: Iterable[Task]) -> Iterator[str]:
    """Yield a line for each provider that is parked, for tasks that wait, and for each budget."""
    waits = sorted(task.not_before_ms for task in ready if task.not_before_ms)
    if team.circuits or waits or team.used.providers:
        from gitcto.cli.resting import lines

        yield from lines(app, team, waits)


def _alarms(app: App, executions: Iterable[Execution]) -> None:
    """Name what changed outside the rooms of the last attempts at the listed tasks."""
    lines = [f"{each.task}: {text}" for each in executions if (text := wording.outside(each))]
    if lines:
        app.output.data()
    for line in lines:
        app.output.data(visible(line))


def _approvals(app: App, executions: Iterable[Execution]) -> None:
    """Name the changes that wait for a person."""
    waiting = [each for each in executions if each.approval == "requested"]
    if waiting:
        app.output.data()
    for each in waiting:
        given = f"{len(each.approved_by)} of {each.approvals_needed}"
        app.output.data(visible(f"{each.task} waits for approval, {given}: `git cto approvals`"))


def _mail(app: App, reader: LedgerReader) -> None:
    """Say how many messages wait for a person."""
    waiting = [mail for mail in reader.mail_in(*UNDER_WAY) if is_person(mail.recipient)]
    if waiting:
        what = "message waits" if len(waiting) == 1 else "messages wait"
        app.output.data()
        app.output.data(f"{len(waiting)} {what} for a person: `git cto mail inbox`")


def _rooms(app: App, reader: LedgerReader) -> None:
    """Name the rooms that stayed, which nothing else in the ledger does."""
    from gitcto.cli.kept import kept_rooms

    kept = kept_rooms(app, reader)
    if kept:
        app.output.data()
    for room in kept:
        whose = f"{room.task}, attempt {room.attempt}" if room.task else room.execution
        app.output.data(visible(f"The room of {whose} is kept: {room.path}"))
    if kept:
        app.output.hint("`git cto clean` says why")


def _listed(reader: LedgerReader, glance: Summary, team: Team, *, every: bool) -> Iterable[Task]:
    if every or sum(team.counts.values()) <= SMALL:
        return reader.tasks()
    return (*glance.live, *glance.ready, *glance.ended)


def _table(app: App, reader: LedgerReader, tasks: Iterable[Task]) -> None:
    view, now = reader.view(), app.effects.now_ms()
    rows = []
    for task in tasks:
        execution = view.execution(task.execution) if task.state in LIVE_STATES else None
        since = wording.since(task, execution, now)
        tries = str(task.attempts or "-")
        rows.append((task.spec.id, wording.state(task), tries, since, task.spec.title))
    app.output.table(("TASK", "STATE", "TRY", "FOR", "TITLE"), rows)


def plain_status(app: App, reader: LedgerReader, *, every: bool) -> dict[str, Any]:
    """Return how a team stands as plain values, with ``every`` task if asked for."""
    from gitcto.cli import plain
    from gitcto.cli.kept import kept_rooms

    glance = reader.summary(rows_each=SMALL)
    if glance.team is None:
        raise _empty(reader)
    told: dict[str, Any] = {
        "team": plain.team(glance.team),
        "events": glance.cursor.seq,
        "tip": glance.cursor.tip,
        "live": [plain.task(task) for task in glance.live],
        "ready": [plain.task(task) for task in glance.ready],
        "ended": [plain.task(task) for task in glance.ended],
        "executions": [
            {**plain.execution(each), "seen_ms": glance.beats.get(each.id)}
            for each in glance.executions
        ],
        "mail": [plain.mail(each) for each in reader.mail_in(*UNDER_WAY)],
        "kept_rooms": [plain.kept_room(each) for each in kept_rooms(app, reader)],
    }
    if every:
        told["tasks"] = [plain.task(task) for task in reader.tasks()]
    return told
