"""``git cto clean``: what ended attempts left, and what of it may go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app, team_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitcto.cli.app import App
    from gitcto.runtime.clean import CleanItem
    from gitcto.runtime.context import Context


@click.command()
@click.option("--plan/--apply", "only_plan", default=True, help="Say what would go, or remove it.")
@team_option
@json_option
@pass_app
def clean(app: App, *, only_plan: bool, team: str | None, as_json: bool) -> None:
    """Remove what ended attempts left: rooms, records and refs that pin their work.

    Nothing goes before its work is reachable from the target or a preserved ref; what is kept is
    listed with the reason. --plan, the default, removes nothing.
    """
    from gitcto.runtime import clean as runtime_clean

    with _alone(app, app.team(team)) as context:
        items = runtime_clean.plan(context)
        kept = [] if only_plan else runtime_clean.apply(context, items)
    if as_json:
        names = ("execution", "task", "what", "safe", "why")
        told = [{name: getattr(item, name) for name in names} for item in items]
        app.output.json({"applied": not only_plan, "items": told})
    else:
        _show(app, items, kept, only_plan=only_plan)


@contextmanager
def _alone(app: App, team: str) -> Iterator[Context]:
    """Hold the team's run lock: a run in the middle of its work leaves things on purpose."""
    from gitcto.cli.requests import ending_request
    from gitcto.git.lock import exclusive
    from gitcto.runtime.layout import Layout
    from gitcto.runtime.run import make_context

    request = ending_request(app, team)
    layout = Layout(request.repository, request.team, request.rooms_root)
    with exclusive(layout.run_lock, wait_s=0):
        context = make_context(request, layout)
        with context.ledger:
            yield context


def _show(
    app: App, items: Sequence[CleanItem], kept: Sequence[CleanItem], *, only_plan: bool
) -> None:
    if not items:
        app.output.data("Nothing was left behind")
        return
    failed = {item.execution: item for item in kept}
    rows = []
    for planned in items:
        item = failed.get(planned.execution, planned)
        verb = "keep" if not item.safe else "would go" if only_plan else "removed"
        rows.append((item.task or "-", item.execution, item.what, verb, item.why))
    app.output.table(("TASK", "ATTEMPT", "WHAT", "", "WHY"), rows)
    if only_plan and any(item.safe for item in items):
        app.output.hint("remove it with `git cto clean --apply`; preserved work stays")
