"""``git cto lease``: who holds which task, and taking one away from whoever is gone for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli import wording
from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.cli.app import App
    from gitcto.model.records import Execution
    from gitcto.store.queries import Summary


@click.group(
    cls=LazyGroup,
    rows=(
        Row("list", "List who holds which task.", f"{__name__}:list_", "Ask"),
        Row("steal", "Take a task away from its holder.", f"{__name__}:steal", "Act"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def lease() -> None:
    """List who holds which task, or take a task away from a holder that is gone for good."""


@click.command("list")
@team_option
@json_option
@pass_app
def list_(app: App, *, team: str | None, as_json: bool) -> None:
    """List every lease: who holds which task, by which token, and until when.

    A lease is renewed while there are signs of life. One of another clone that is over for ten
    seconds is given up by whoever runs the team next.
    """
    with app.reader(team) as reader:
        glance = reader.summary()
    if as_json:
        app.output.json({"leases": plain_leases(app, glance)})
    elif glance.executions:
        show_leases(app, glance)
    else:
        app.output.data("Nobody holds a task")


def plain_leases(app: App, glance: Summary) -> list[dict[str, str | int | bool | None]]:
    """Return a team's leases as plain values."""
    from gitcto.runtime.host.clone import known_clone

    here, now_ms = known_clone(app.repository), app.effects.now_ms()
    return [_plain(x, here, now_ms, glance.beats) for x in glance.executions]


def show_leases(app: App, glance: Summary) -> None:
    """Write who holds which task."""
    now_ms = app.effects.now_ms()
    rows = [
        (
            str(each["task"]),
            str(each["state"]),
            str(each["epoch"]),
            _ends(int(each["expires_ms"] or 0), now_ms),
            "here" if each["here"] else "elsewhere",
            str(each["holder"]),
        )
        for each in plain_leases(app, glance)
    ]
    app.output.table(("TASK", "STATE", "TOKEN", "LEASE", "WHERE", "HOLDER"), rows)


def _plain(
    x: Execution, here: str, now_ms: int, beats: Mapping[str, int]
) -> dict[str, str | int | bool | None]:
    from gitcto.runtime.core.holder import is_of

    return {
        "task": x.task,
        "execution": x.id,
        "state": x.state.value,
        "epoch": x.epoch,
        "holder": x.holder,
        "here": bool(here) and is_of(x.holder, here),
        "expires_ms": x.expires_ms,
        "over": x.expires_ms < now_ms,
        "seen_ms": beats.get(x.id),
    }


def _ends(expires_ms: int, now_ms: int) -> str:
    if expires_ms < now_ms:
        return f"over for {wording.age(expires_ms, now_ms)}"
    return f"{wording.age(now_ms, expires_ms)} left"


@click.command()
@click.argument("task")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the ledger.")
@team_option
@pass_app
def steal(app: App, task: str, *, reason: str, team: str | None) -> None:
    """Take TASK away from whoever holds it, without waiting for the end of the lease.

    For a machine that is gone for good. The task is queued again and its next holder gets a greater
    token, so whatever the old one still reports is refused. Nothing is lost: what it did stays
    where it is, and is judged when it comes back whole and nobody has begun anew meanwhile.
    """
    from gitcto.cli.record import record
    from gitcto.cli.requests import known_policy
    from gitcto.model.lease_commands import StealLease
    from gitcto.model.records import LIVE_STATES, TaskState

    with app.ledger(team) as ledger:
        found = app.task(ledger, task)
        held = ledger.view().execution(found.execution)
        if held is None or held.state not in LIVE_STATES:
            hint = "`git cto lease list` says who holds what"
            raise CtoError(f"nobody holds {task}: it is {found.state}", hint, ExitCode.REFUSED)
        if held.state is TaskState.INTEGRATING:
            hint = "`git cto run` finds out what landed, here or when the lease of another is over"
            raise CtoError(f"{task} is landing", hint, ExitCode.REFUSED)
        attempts = known_policy(app, ledger.team).retries.max_attempts
        command = StealLease(
            execution=held.id,
            epoch=held.epoch,
            by=app.host.actor,
            reason=reason,
            max_attempts=attempts,
        )
        record(ledger, command)
    app.output.data(f"{task} is taken away from {held.holder}")
    app.output.hint(
        f"`git cto run` gives it to another worker; `git cto stop {task}` keeps it from everybody"
    )
