"""``git cto log``: a team's ledger, the newest event first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli import wording
from gitcto.cli.options import json_option, pass_app, team_option

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.model.codec import Event
    from gitcto.model.view import StateView

_DEFAULT = 30


@click.command()
@click.option("--task", metavar="TASK", help="Only the events of this task.")
@click.option(
    "-n",
    "limit",
    type=click.IntRange(min=1),
    default=_DEFAULT,
    show_default=True,
    help="How many events.",
)
@team_option
@json_option
@pass_app
def log(app: App, *, task: str | None, limit: int, team: str | None, as_json: bool) -> None:
    """Show what happened, the newest event first.

    The same can be read with plain git: `git log refs/cto/teams/TEAM/ledger`.
    """
    with app.reader(team) as reader:
        if task is not None:
            app.task(reader, task)
        found = list(reader.events(limit=limit, task=task, newest_first=True))
        if as_json:
            from gitcto.cli import plain

            app.output.json({"team": reader.team, "events": [plain.event(each) for each in found]})
            return
        view = reader.view()
        rows = [
            (
                str(each.seq),
                wording.moment(each.event.ts),
                each.event.actor,
                words(view, each.event),
            )
            for each in found
        ]
        app.output.table(("EVENT", "WHEN", "WHO", "WHAT"), rows)


def words(view: StateView, event: Event) -> str:
    """Return one event in words; one of an unknown kind is named, never hidden."""
    from gitcto.model.codec import Opaque
    from gitcto.store.subjects import subject

    if isinstance(event.body, Opaque):
        return f"{event.body.kind} (written by a newer git-cto)"
    return subject(view, (event.body,))
