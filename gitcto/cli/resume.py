"""``git cto resume``: show how things stand and what the next run does about it, then let it go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.errors import CtoError
from gitcto.model.records import TeamMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.cli.app import App
    from gitcto.model.recovery_plan import Step
    from gitcto.store.queries import Summary

WHAT = {
    "readopt": "go on with its worker",
    "take_up": "take its work up",
    "reclaim": "end what is left of it",
    "retry": "try it again",
    "judge": "judge it",
    "move": "land it",
    "confirm": "record that it landed",
    "rewritten": "ask a person",
    "await_late": "look at late work",
    "settle": "clear up after it",
    "leave": "leave it alone",
    "give_up": "take it over",
    "unknown": "leave it alone",
    "draft": "take the draft up",
}
"""What each step of a recovery is called."""

_ROWS = 50


@click.command()
@click.option("--provider", metavar="NAME", help="Let a parked provider be asked again, too.")
@team_option
@json_option
@pass_app
def resume(app: App, *, provider: str | None, team: str | None, as_json: bool) -> None:
    """Start tasks again after pause, drain or stop; first say what the next run goes on with.

    That is the queue, the leases, and for all that a former run left what becomes of it, why,
    and where its work is. Nothing is ever discarded by it. `git cto run` carries out just that.
    """
    from gitcto.cli.record import record
    from gitcto.model.commands import SetMode

    if provider is not None:
        from gitcto.cli.circuit import close_circuit

        close_circuit(app, provider, team, quiet=as_json)
    snapshot = _take(app, app.team(team))
    if not as_json:
        _show(app, snapshot)
    with app.ledger(snapshot.team) as ledger:
        changed = record(ledger, SetMode(mode=TeamMode.RUNNING)).events
    if as_json:
        app.output.json({**_plain(app, snapshot), "mode": "running", "changed": bool(changed)})
        return
    name = snapshot.team
    app.output.data(f"Team {name} is running" if changed else f"Team {name} was running already")
    app.output.hint("`git cto run` does the work; hold it with `git cto pause`")


class _Snapshot(NamedTuple):
    """How a team stands; ``steps`` are None where a run is alive, which ``why`` names."""

    team: str
    glance: Summary
    steps: Sequence[Step] | None
    why: str


def _take(app: App, team: str) -> _Snapshot:
    with app.reader(team) as reader:
        glance = reader.summary(rows_each=_ROWS)
    try:
        return _Snapshot(team, glance, steps_of(app, team), "")
    except CtoError as error:
        return _Snapshot(team, glance, None, error.message)


def steps_of(app: App, team: str) -> Sequence[Step]:
    """Return the steps of the next run. Raises ``LockBusy`` beside one that is alive."""
    from gitcto.cli.clean import run_alone
    from gitcto.runtime.loop.survey import recovery_plan
    from gitcto.runtime.team.real_world import real_world

    with run_alone(app, team) as context:
        return recovery_plan(real_world(context), context.ledger.load())


def _show(app: App, snapshot: _Snapshot) -> None:
    from gitcto.cli import wording
    from gitcto.cli.lease import show_leases

    out, glance = app.output, snapshot.glance
    if glance.team is not None:
        out.data(wording.counts(glance.team))
    if glance.executions:
        out.data()
        show_leases(app, glance)
    if snapshot.steps is None:
        out.data(f"What the next run does is not known: {snapshot.why}")
    elif snapshot.steps:
        out.data()
        rows = [
            (each.task or each.execution, WHAT[each.action], each.why, each.keeps)
            for each in snapshot.steps
        ]
        out.table(("TASK", "THE NEXT RUN WILL", "WHY", "ITS WORK"), rows)
    ready = [task.spec.id for task in glance.ready]
    if ready:
        out.data()
        out.data(f"Ready to start: {', '.join(ready)}")
    out.data()


def _plain(app: App, snapshot: _Snapshot) -> dict[str, Any]:
    from gitcto.cli import plain
    from gitcto.cli.lease import plain_leases
    from gitcto.model.records import TaskState

    glance = snapshot.glance
    queue = [x.task for x in glance.executions if x.state is TaskState.VALIDATING]
    return {
        "team": plain.team(glance.team) if glance.team else None,
        "ready": [task.spec.id for task in glance.ready],
        "queue": queue,
        "workers": [plain.execution(x) for x in glance.executions],
        "leases": plain_leases(app, glance),
        "steps": None
        if snapshot.steps is None
        else [
            {name: getattr(each, name) for name in each.__struct_fields__}
            for each in snapshot.steps
        ],
        "steps_unknown": snapshot.why,
    }
