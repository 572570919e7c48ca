"""Commands by which a person steers a team: pause, drain, stop and retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.options import pass_app, team_option
from gitcto.errors import CtoError, ExitCode
from gitcto.model.records import TeamMode

if TYPE_CHECKING:
    from gitcto.cli.app import App


def _set_mode(app: App, team: str | None, mode: TeamMode, *, hint: str) -> None:
    from gitcto.cli.record import record
    from gitcto.model.commands import SetMode

    with app.ledger(team) as ledger:
        changed = record(ledger, SetMode(mode=mode)).events
        name = ledger.team
    app.output.data(
        f"Team {name} is {mode.value}" if changed else f"Team {name} was {mode.value} already"
    )
    app.output.hint(hint)


@click.command()
@team_option
@pass_app
def pause(app: App, team: str | None) -> None:
    """Start nothing new; what runs goes on and may land."""
    _set_mode(app, team, TeamMode.PAUSED, hint="go on with `git cto resume`")


@click.command()
@team_option
@pass_app
def drain(app: App, team: str | None) -> None:
    """Start nothing new and end the run when what is being worked on has ended."""
    _set_mode(
        app,
        team,
        TeamMode.DRAINING,
        hint="take it back with `git cto resume`, go on with `git cto run`",
    )


@click.command()
@click.argument("task", required=False)
@click.option("--reason", default="", metavar="TEXT", help="With TASK: why; for the ledger.")
@team_option
@pass_app
def stop(app: App, task: str | None, reason: str, team: str | None) -> None:
    """End the workers now; their work is kept and their tasks are tried again in the next run.

    With TASK only that one's: it waits for `git cto retry TASK`, and the team goes on with others.
    """
    if task is not None:
        _stop_task(app, team, task, reason)
        return
    if reason:
        raise CtoError("--reason means nothing without TASK", "name a task", ExitCode.USAGE)
    from gitcto.cli.requests import ending_request
    from gitcto.cli.views import Lines
    from gitcto.runtime.team.run import stop_team

    _set_mode(app, team, TeamMode.STOPPED, hint="go on with `git cto run`")
    request = ending_request(app, app.team(team))
    if stop_team(request, Lines(app.output)) is None:
        app.output.data("A run is alive; it ends its workers and then itself")


def _stop_task(app: App, team: str | None, task: str, reason: str) -> None:
    """Record that nobody is to work on a task; end its worker, if it is one of this clone's."""
    from gitcto.cli.record import record
    from gitcto.cli.requests import rooms_root
    from gitcto.model.lease_commands import StopTask
    from gitcto.model.records import WORKING_STATES, TaskState
    from gitcto.runtime.core.seats import runs
    from gitcto.runtime.host.layout import Layout
    from gitcto.runtime.worker.workers import observe, request_stop

    with app.ledger(team) as ledger:
        found = app.task(ledger, task)
        record(ledger, StopTask(task=task, reason=reason))
        layout = Layout(app.repository, ledger.team, rooms_root(app.host, app.repository))
        execution = ledger.view().execution(found.execution)
    for run in runs(execution) if execution else ():
        if observe(layout.records(run)).alive:
            request_stop(layout.records(run))
    what = "nobody works on it"
    if found.state in WORKING_STATES:
        what = "its worker ends now; a run keeps what it did"
    elif found.state is TaskState.VALIDATING:
        what = "a run takes it out of the merge queue and keeps its work"
    app.output.data(f"{task} is stopped: {what}")
    app.output.hint(f"let it go on with `git cto retry {task}`, then `git cto run`")


@click.command()
@click.argument("task")
@team_option
@pass_app
def retry(app: App, task: str, team: str | None) -> None:
    """Give TASK, which failed or is blocked, another set of attempts."""
    from gitcto.cli.record import record
    from gitcto.model.commands import RequeueTask

    with app.ledger(team) as ledger:
        app.task(ledger, task)
        record(ledger, RequeueTask(task=task))
    app.output.data(f"{task} is queued again")
    app.output.hint("go on with `git cto run`; the work of earlier attempts stays kept")
