"""``git cto queue conflicts``: which running changes will not go together, before they land."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app, team_option

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.runtime.delivery.conflicts import Forecast

_SEEN = {
    "harvested": "what its worker left",
    "room": "its room as it is now",
    "declared": "its declared paths",
}
_TARGET = "the target"


@click.command()
@team_option
@json_option
@pass_app
def conflicts(app: App, *, team: str | None, as_json: bool) -> None:
    """Predict conflicts between running changes, and of each with the target.

    Changes are merged in git without files and without a trace. A worker that still runs is judged
    by what its room holds now, or, where that cannot be looked at, by the paths that its task
    declares; such a conflict is only possible, not certain.
    """
    name = app.team(team)
    found = _forecast(app, name)
    if as_json:
        app.output.json(_plain(name, found))
        return
    count = len(found.sides)
    if not found.conflicts:
        app.output.data(f"No conflict among {count} {'change' if count == 1 else 'changes'}")
    else:
        rows = [
            (
                each.one,
                each.other or _TARGET,
                "certain" if each.certain else "possible",
                ", ".join(each.paths),
            )
            for each in found.conflicts
        ]
        app.output.table(("TASK", "AND", "CONFLICT", "PATHS"), rows)
    for side in found.sides:
        if side.seen != "harvested":
            app.output.hint(f"{side.task} is still worked on: judged by {_SEEN[side.seen]}")


def _plain(team: str, found: Forecast) -> dict[str, object]:
    return {
        "team": team,
        "changes": [{"task": side.task, "seen": side.seen} for side in found.sides],
        "conflicts": [
            {
                "one": each.one,
                "other": each.other,
                "certain": each.certain,
                "paths": list(each.paths),
                "detail": each.detail,
            }
            for each in found.conflicts
        ],
    }


def _forecast(app: App, team: str) -> Forecast:
    from gitcto.cli.requests import rooms_root
    from gitcto.cli.status import known_team
    from gitcto.git.refs import Refs
    from gitcto.runtime.delivery.conflicts import Running, forecast
    from gitcto.runtime.host.layout import Layout

    layout = Layout(app.repository, team, rooms_root(app.host, app.repository))
    with app.reader(team) as reader:
        target = known_team(reader).target
        view = reader.view()
        live = [(view.task(x.task), x) for x in view.live()]
    running = [Running(task=task.spec, execution=x) for task, x in live if task is not None]
    return forecast(app.repository, layout, Refs(app.repository).read(target), running)
