"""``git cto clean``: what ended attempts left, and what of it may go."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import click

from gitcto.cli.options import json_option, pass_app, team_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitcto.cli.app import App
    from gitcto.runtime.host.context import Context
    from gitcto.runtime.workspace.clean import CleanItem
    from gitcto.runtime.workspace.space import Rebuildable


@click.command()
@click.option("--plan/--apply", "only_plan", default=True, help="Say what would go, or remove it.")
@click.option("--caches", is_flag=True, help="Also warm trees and kept set-ups that are of use.")
@team_option
@json_option
@pass_app
def clean(app: App, *, only_plan: bool, caches: bool, team: str | None, as_json: bool) -> None:
    """Remove what ended attempts left: rooms, records and refs that pin their work.

    Nothing goes before its work is reachable from the target or a preserved ref; what is kept is
    listed with the reason. Warm trees and kept set-ups that are too old go, too; with --caches all
    of them. --plan, the default, removes nothing.
    """
    from gitcto.git.durable import discard
    from gitcto.runtime.workspace import clean as runtime_clean
    from gitcto.runtime.workspace.space import reclaim

    with run_alone(app, app.team(team)) as context:
        items = runtime_clean.plan(context)
        spare = _spare(context, everything=caches)
        kept = [] if only_plan else runtime_clean.apply(context, items)
        aside = _damaged(app)
        chosen = [one.item for one in spare if one.goes and one.item is not None]
        problems = [] if only_plan else reclaim(context, chosen)
        spare += aside
        if not only_plan and aside:
            discard(app.repository.cto_dir / "quarantine")
    if as_json:
        names = ("execution", "task", "what", "safe", "why")
        told = [{name: getattr(item, name) for name in names} for item in items]
        disk = [{"what": one.what, "goes": one.goes, "why": one.why} for one in spare]
        app.output.json({"applied": not only_plan, "items": told, "disk": disk})
    else:
        _show(app, items, kept, spare, only_plan=only_plan)
    for problem in problems:
        app.output.warn(problem)


class _Spare(NamedTuple):
    """Something that can be made again, or rubbish when there is no ``item``."""

    item: Rebuildable | None
    what: str
    goes: bool
    why: str


def _spare(context: Context, *, everything: bool) -> list[_Spare]:
    from gitcto.runtime.workspace.space import is_old, rebuildable
    from gitcto.runtime.workspace.trash import waiting

    days, now_ms = context.policy.rooms.max_age_days, context.effects.now_ms()
    found = []
    for one in rebuildable(context.layout):
        old = is_old(one, now_ms, days)
        why = f"not used for {days} days" if old else "it can be made again"
        if not old and not everything:
            why = "it makes the next rooms faster; --caches removes it"
        what = f"{one.what}, {one.size >> 20} MiB"
        found.append(_Spare(one, what, old or everything, why))
    rubbish = len(waiting(context.layout.trash))
    if rubbish:
        found.append(_Spare(None, f"rubbish, {rubbish}", True, "it was removed, and not deleted"))
    return found


def _damaged(app: App) -> list[_Spare]:
    """Return the damaged sidecars that were put aside, if there are any."""
    from gitcto.store.sidecar import quarantined

    count = len(quarantined(app.repository))
    why = "it was built again from the ledger, which has all of it"
    return [_Spare(None, f"damaged sidecar, {count}", True, why)] if count else []


@contextmanager
def run_alone(app: App, team: str) -> Iterator[Context]:
    """Hold the team's run lock: a run in the middle of its work leaves things on purpose.

    Raises ``LockBusy`` when one is alive.
    """
    from gitcto.cli.requests import ending_request
    from gitcto.git.lock import exclusive
    from gitcto.runtime.host.layout import Layout
    from gitcto.runtime.team.run import make_context

    request = ending_request(app, team)
    layout = Layout(request.repository, request.team, request.rooms_root)
    with exclusive(layout.run_lock, wait_s=0):
        context = make_context(request, layout)
        with context.ledger:
            yield context


def _show(
    app: App,
    items: Sequence[CleanItem],
    kept: Sequence[CleanItem],
    spare: Sequence[_Spare],
    *,
    only_plan: bool,
) -> None:
    if not items and not spare:
        app.output.data("Nothing was left behind")
        return
    failed = {item.execution: item for item in kept}
    gone = "would go" if only_plan else "removed"
    rows = []
    for planned in items:
        item = failed.get(planned.execution, planned)
        rows.append(
            (
                item.task or "-",
                item.execution,
                item.what,
                gone if item.safe else "keep",
                item.why,
            )
        )
    rows += [("-", "-", one.what, gone if one.goes else "keep", one.why) for one in spare]
    app.output.table(("TASK", "ATTEMPT", "WHAT", "", "WHY"), rows)
    if only_plan and (any(item.safe for item in items) or any(one.goes for one in spare)):
        app.output.hint("remove it with `git cto clean --apply`; preserved work stays")
