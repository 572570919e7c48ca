"""``git cto queue``: what waits to land, why, and how a person steps in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode
from gitcto.model.records import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitcto.cli.app import App
    from gitcto.cli.queue_view import Waiting
    from gitcto.model.commands import Command
    from gitcto.queue.explain import Situation
    from gitcto.store.ledger import Ledger

_ASK, _STEER = "Ask", "Steer"

reason_option = click.option("--reason", metavar="TEXT", default="", help="Why, for the ledger.")


@click.group(
    cls=LazyGroup,
    rows=(
        Row("why", "Show why a task has not landed.", "gitcto.cli.queue_why:why", _ASK),
        Row("order", "Show the order, and what decides it.", f"{__name__}:order", _ASK),
        Row("conflicts", "Predict conflicts.", "gitcto.cli.queue_conflicts:conflicts", _ASK),
        Row("pause", "Judge and land nothing more.", f"{__name__}:pause", _STEER),
        Row("resume", "Judge and land again.", f"{__name__}:resume", _STEER),
        Row("eject", "Take a task's change out.", f"{__name__}:eject", _STEER),
    ),
    context_settings={"help_option_names": HELP_NAMES},
    invoke_without_command=True,
)
@team_option
@json_option
@click.pass_context
def queue(ctx: click.Context, *, team: str | None, as_json: bool) -> None:
    """Show what waits to land, first what goes first.

    For each change: what it waits for, which gates of its tier have not passed what would land,
    what was said of it last, the evidence of that, and in how long it may land.
    """
    if ctx.invoked_subcommand is not None:
        if team is not None or as_json:
            option = "--json" if as_json else "--team"
            raise click.UsageError(f"write {option} behind {ctx.invoked_subcommand!r}", ctx)
        return
    from gitcto.cli.options import app_of

    _show(app_of(ctx), team, as_json=as_json)


def _show(app: App, team: str | None, *, as_json: bool) -> None:
    from gitcto.cli.queue_view import look, plain
    from gitcto.cli.requests import known_policy

    name = app.team(team)
    policy = known_policy(app, name)
    with app.reader(name) as reader:
        view = look(app, reader, policy)
    queue = view.situation.queue
    running = run_is_alive(app, name)
    if as_json:
        app.output.json(
            {
                "team": name,
                "paused": queue.paused,
                "run_alive": running,
                "runs": sorted(queue.running),
                "waiting": [plain(row) for row in view.waiting],
            }
        )
        return
    _table(app, view.waiting)
    if view.waiting and not running:
        app.output.hint("no run is alive here: `git cto run` goes on with it")


def _table(app: App, waiting: Sequence[Waiting]) -> None:
    from gitcto.cli.queue_view import SHORT

    if not waiting:
        app.output.data("Nothing waits to land")
        return
    rows = [
        (
            str(row.position or "-"),
            row.task.spec.id,
            row.task.spec.tier,
            about(row.estimate_ms),
            ", ".join(row.missing) or "-",
            row.said or "-",
            row.evidence[:SHORT] or "-",
            row.waits_for,
        )
        for row in waiting
    ]
    head = ("POS", "TASK", "TIER", "IN", "MISSING", "LAST", "EVIDENCE", "WAITS FOR")
    app.output.table(head, rows)


def about(estimate_ms: int | None) -> str:
    """Return an estimate in its largest unit (``~3m``), or ``-`` when nothing is known."""
    from gitcto.cli.wording import age

    return "-" if estimate_ms is None else f"~{age(0, estimate_ms)}"


def run_is_alive(app: App, team: str) -> bool:
    """Tell whether a run of the team is alive in this clone."""
    from gitcto.git.lock import is_held
    from gitcto.runtime.host.layout import Layout

    return is_held(Layout(app.repository, team, app.repository.cto_dir).run_lock)


@click.command()
@team_option
@json_option
@pass_app
def order(app: App, *, team: str | None, as_json: bool) -> None:
    """Show the order of the queue with the keys that decide it, the first key first.

    Changes that landings left behind eight times are due and go first; then come tier, band (that
    of the priority, less one for every ten minutes of waiting), and place, which is unique.
    """
    from gitcto.cli.queue_view import look
    from gitcto.cli.requests import known_policy

    name = app.team(team)
    policy = known_policy(app, name)
    with app.reader(name) as reader:
        found = list(_places(look(app, reader, policy).situation))
    if as_json:
        app.output.json({"team": name, "order": found})
        return
    if not found:
        app.output.data("Nothing waits to land")
        return
    head = ("POS", "TASK", "DUE", "TIER", "BAND", "PLACE", "PRIORITY", "OVERTAKEN")
    shown = ({**each, "due": "yes" if each["due"] else "no"} for each in found)
    app.output.table(head, [[str(value) for value in each.values()] for each in shown])


def _places(at: Situation) -> Iterator[dict[str, Any]]:
    """Yield what waits, first what goes first, with the keys that decide it."""
    from gitcto.queue.order import key

    for position, item in enumerate(at.order, 1):
        late, _, band, place = key(at.queue, item, at.now_ms)
        yield {
            "position": position,
            "task": at.task(item.id),
            "due": not late,
            "tier": item.tier,
            "band": band,
            "place": place,
            "priority": item.priority,
            "overtaken": at.queue.overtaken.get(item.id, 0),
        }


@click.command()
@reason_option
@team_option
@json_option
@pass_app
def pause(app: App, *, reason: str, team: str | None, as_json: bool) -> None:
    """Judge and land nothing more; what is being judged may end, and workers go on."""
    from gitcto.model.queue_commands import PauseQueue

    def said(ledger: Ledger, *, changed: bool) -> str:
        return f"The queue of {ledger.team} is paused" + ("" if changed else " already")

    _steer(app, team, PauseQueue(reason=reason), said, as_json=as_json)
    app.output.hint("go on with `git cto queue resume`")


@click.command()
@team_option
@json_option
@pass_app
def resume(app: App, *, team: str | None, as_json: bool) -> None:
    """Judge and land again; gates that could not run, and a red target, are tried anew."""
    from gitcto.model.queue_commands import ResumeQueue

    def said(ledger: Ledger, *, changed: bool) -> str:
        del changed
        return f"The queue of {ledger.team} goes on"

    name = _steer(app, team, ResumeQueue(), said, as_json=as_json)
    alive = run_is_alive(app, name)
    first = "hold it with `git cto queue pause`"
    app.output.hint(first if alive else f"`git cto run` does the work; {first}")


@click.command()
@click.argument("task")
@reason_option
@team_option
@json_option
@pass_app
def eject(app: App, *, task: str, reason: str, team: str | None, as_json: bool) -> None:
    """Take the change of TASK out of the queue: nobody judges it, and its work is kept."""
    from gitcto.model.queue_commands import AskEjection

    name = app.team(team)
    with app.reader(name) as reader:
        found = app.task(reader, task)
    if found.state is not TaskState.VALIDATING:
        raise CtoError(
            f"{task} is not in the queue: it is {found.state.value}",
            "`git cto queue` lists what is",
            ExitCode.REFUSED,
        )

    def said(ledger: Ledger, *, changed: bool) -> str:
        del ledger, changed
        return f"{task} is asked out of the queue"

    _steer(app, name, AskEjection(execution=found.execution, reason=reason), said, as_json=as_json)
    when = "the run takes it out" if run_is_alive(app, name) else "the next `git cto run` does it"
    app.output.hint(f"{when}; bring it back with `git cto retry {visible(task)}` after that")


def _steer(
    app: App,
    team: str | None,
    command: Command,
    said: Callable[..., str],
    *,
    as_json: bool,
) -> str:
    """Record a person's command, say so, and return the team's name."""
    from gitcto.cli.record import record

    with app.ledger(team) as ledger:
        changed = bool(record(ledger, command).events)
        text = said(ledger, changed=changed)
        name = ledger.team
    if as_json:
        app.output.json({"team": name, "recorded": changed})
    else:
        app.output.data(visible(text))
    return name
