"""``git cto run``: let the team work until nothing is left to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gitcto.cli import wording
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import ExitCode
from gitcto.model.records import MAX_WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.app import App
    from gitcto.runtime.core.book import Listener
    from gitcto.runtime.team.run import RunResult


@click.command()
@team_option
@click.option(
    "--workers",
    type=click.IntRange(1, MAX_WORKERS),
    default=MAX_WORKERS,
    help=f"At most so many at once; policy may allow fewer, nothing more than {MAX_WORKERS}.",
)
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="PLUGIN",
    help="Use this gated engine, if policy allows it; may be given several times.",
)
@click.option("--wait", is_flag=True, help="Wait for the time at which a parked provider is tried.")
@json_option
@pass_app
def run(  # noqa: PLR0913 - one parameter for each option
    app: App,
    *,
    team: str | None,
    workers: int,
    engines: tuple[str, ...],
    wait: bool,
    as_json: bool,
) -> int:
    """Work until nothing is left to do.

    Every ready task gets a worker in a room of its own; what passes its gates lands on the team's
    branch. Ctrl-C ends the run, not the workers: the next run goes on with them. Exit 1 when a task
    needs a person, 6 when only a parked provider or a budget keeps it from going on, 130 when
    interrupted.
    """
    from dataclasses import replace

    from gitcto.cli.joining import join_missing
    from gitcto.cli.requests import run_request
    from gitcto.cli.signals import interruptible
    from gitcto.runtime.team.run import run_team

    join_missing(app, team)
    request = run_request(app, app.team(team), workers, engines)
    request = replace(request, patient=wait)
    with _listener(app, as_json=as_json) as listener:
        note = "ending the run; the workers go on (once more: end at once)"
        with interruptible(lambda: listener.note(note)) as asked:
            result = run_team(request, listener, asked)
    return conclude(app, request.team, result, as_json=as_json)


@contextmanager
def _listener(app: App, *, as_json: bool) -> Iterator[Listener]:
    from gitcto.cli.views import JsonLines, Lines

    if as_json:
        yield JsonLines(app.output)
    elif app.host.stdout_tty and app.host.environ.get("TERM") != "dumb":
        from gitcto.cli.live import LiveTable

        with LiveTable(app) as table:
            yield table
    else:
        yield Lines(app.output)


def conclude(app: App, team: str, result: RunResult, *, as_json: bool) -> int:
    """Say how a run ended and return its exit code."""
    from gitcto.cli.status import plain_status, show_status
    from gitcto.model.records import WORKING_STATES

    tasks = result.state.tasks.values()
    stuck = [task for task in tasks if task.state in wording.NEEDS_A_PERSON]
    with app.reader(team) as reader:
        if as_json:
            ended = {
                "interrupted": result.interrupted,
                "resting": list(result.resting),
                "unfinished": list(result.unfinished),
            }
            app.output.json({"type": "result", **ended, **plain_status(app, reader, every=True)})
        else:
            app.output.data()
            show_status(app, reader, every=False)
            for why in result.resting:
                app.output.data(f"This run ends though work is left: {visible(why)}")
    waiting = (
        [] if result.interrupted else [x for x in result.live if x.state not in WORKING_STATES]
    )
    _hint(app, result, stuck=bool(stuck), waiting=len(waiting))
    if result.interrupted:
        return ExitCode.INTERRUPTED
    if result.resting:
        return ExitCode.PARKED
    return ExitCode.REFUSED if stuck or waiting else ExitCode.OK


def _hint(app: App, result: RunResult, *, stuck: bool, waiting: int) -> None:
    from gitcto.model.step_rules import workers

    out, at_work = app.output, workers(result.live)
    if result.resting and not result.interrupted:
        out.hint(
            "go on with `git cto run`, now or later; with `--wait` it waits, where a time is known"
        )
    elif waiting and waiting == len(result.live):
        count = "1 change waits" if waiting == 1 else f"{waiting} changes wait"
        out.hint(f"{count} for a person: `git cto queue` and `git cto approvals` say for whom")
    elif at_work:
        count = "1 worker goes" if at_work == 1 else f"{at_work} workers go"
        out.hint(f"{count} on; `git cto run` takes up what they do, `git cto stop` ends them")
    elif result.interrupted:
        out.hint("go on with `git cto run`")
    elif stuck:
        out.hint("after `git cto retry TASK`, go on with `git cto run`")
    elif result.unfinished:
        out.hint("go on with `git cto run`")
    elif result.state.tasks:
        out.hint("bring it to your branch with `git cto land`")
    else:
        out.hint("give the team something to do with `git cto plan import FILE`")
