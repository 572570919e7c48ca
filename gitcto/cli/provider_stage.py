"""``git cto provider stage``: what a provider has proved, and what it may work on for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.cli.persons import refuse_worker
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.cli.app import App
    from gitcto.model.records import Team
    from gitcto.policy.stages import Promotion, Stage
    from gitcto.runtime.core.installed import Installed
    from gitcto.runtime.host.context import Context
    from gitcto.runtime.proving.stage_proof import Engine, Proved

_from_option = click.option(
    "--from",
    "places",
    multiple=True,
    metavar="DIR",
    help="A repository whose ledgers prove it; this one is always looked at.",
)


@click.group(
    cls=LazyGroup,
    rows=(
        Row("show", "Show a provider's stage, and what the next asks.", f"{__name__}:show", "Ask"),
        Row("promote", "Bring it to the next stage.", f"{__name__}:promote", "Decide"),
        Row("demote", "Take it back to an earlier stage.", f"{__name__}:demote", "Decide"),
        Row(
            "compare",
            "Let it do the same tasks as others.",
            "gitcto.cli.provider_compare:compare",
            "Decide",
        ),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def stage() -> None:
    """Let providers earn what they may work on, one stage after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """A provider at its stage; ``after`` is the next one, ``recorded`` the stage in the ledger."""

    name: str
    found: Installed
    team: Team | None
    stage: Stage
    after: Stage | None
    recorded: str


@click.command()
@click.argument("name", required=False)
@_from_option
@team_option
@json_option
@pass_app
def show(
    app: App, name: str | None, *, places: tuple[str, ...], team: str | None, as_json: bool
) -> None:
    """Show the stages, and of provider NAME which it is at and what the next one asks for."""
    from gitcto.cli.requests import run_context
    from gitcto.policy.stages import stages

    if name is None:
        _show_all(app, stages().order, as_json=as_json)
        return
    with run_context(app, app.team(team)) as context:
        at = _at(context, name)
        missing, proved = _missing(app, context, at, places)
    if as_json:
        lacks = {"missing": missing, "landed": list(proved.landed), "failed": list(proved.failed)}
        after = at.after.name if at.after else ""
        app.output.json({"provider": name, "stage": at.stage.name, "next": after, **lacks})
        return
    app.output.data(f"stage     {at.stage.name}: works in {', '.join(at.stage.repositories)}")
    if at.after is None:
        return
    app.output.data(f"next      {at.after.name}: works in {', '.join(at.after.repositories)}")
    for execution in proved.landed:
        app.output.data(f"proof     {execution}")
    for line in missing or ["nothing"]:
        app.output.data(f"missing   {visible(line)}")
    if not missing:
        app.output.hint(f"`git cto provider stage promote {name}`")


@click.command()
@click.argument("name")
@_from_option
@click.option("--reason", default="", metavar="TEXT", help="Why, for the ledger.")
@team_option
@pass_app
def promote(app: App, name: str, *, places: tuple[str, ...], reason: str, team: str | None) -> None:
    """Bring provider NAME to the next stage, if ledgers prove what that one asks for.

    The executions that count are proved again, one by one, from git's objects.
    """
    from gitcto.cli.record import record
    from gitcto.cli.requests import run_context
    from gitcto.model.provider_commands import StageProvider

    refuse_worker(app.host.environ, "promote it")
    with run_context(app, app.team(team)) as context:
        at = _at(context, name)
        if at.after is None:
            raise CtoError(f"{name} is at the last stage already", "nothing is left to promote")
        missing, proved = _missing(app, context, at, places)
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            hint = f"see `git cto provider stage show {name}`; prove it, then promote it"
            raise CtoError(f"{name} stays at {at.stage.name}: {missing[0]}{more}", hint)
        promoted = StageProvider(
            provider=name,
            plugin=at.found.plugin,
            stage=at.after.name,
            former=at.stage.name,
            recorded=at.recorded,
            digest=at.found.digest,
            evidence=proved.landed,
            why=reason,
        )
        record(context.ledger, promoted)
    where = ", ".join(at.after.repositories)
    app.output.data(f"{name} is at stage {at.after.name} now: it works in {where}")
    app.output.hint(f"undo: `git cto provider stage demote {name} {at.stage.name}`")


@click.command()
@click.argument("name")
@click.argument("to", metavar="STAGE")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the ledger.")
@team_option
@pass_app
def demote(app: App, name: str, to: str, *, reason: str, team: str | None) -> None:
    """Take provider NAME back to an earlier STAGE. That is always possible, and holds at once."""
    from gitcto.cli.record import record
    from gitcto.cli.requests import run_context
    from gitcto.model.provider_commands import StageProvider
    from gitcto.policy.stages import stages

    refuse_worker(app.host.environ, "demote it")
    with run_context(app, app.team(team)) as context:
        at = _at(context, name)
        if stages().named(to) is None or not stages().is_above(at.stage.name, to):
            before = [each.name for each in stages().order if at.stage.name != each.name]
            raise CtoError(
                f"{to!r} is no stage before {at.stage.name}",
                f"the stages in order: {', '.join(before)}; none comes before the first",
                ExitCode.USAGE,
            )
        demoted = StageProvider(
            provider=name,
            plugin=at.found.plugin,
            stage=to,
            former=at.stage.name,
            recorded=at.recorded,
            why=reason,
        )
        record(context.ledger, demoted)
    app.output.data(f"{name} is at stage {to} now")
    app.output.hint(f"it has to earn {at.stage.name} again; `git cto stop` ends what runs")


def _show_all(app: App, order: Sequence[Stage], *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        app.output.json({"stages": [asdict(each) for each in order]})
        return
    app.output.table(
        ("STAGE", "WORKS IN", "THE NEXT ONE ASKS FOR"),
        [(each.name, ", ".join(each.repositories), _asks(each)) for each in order],
    )


def _asks(each: Stage) -> str:
    asks = each.promotion
    if asks is None:
        return "-"
    parts = [f"{asks.landed} landed in class {asks.where}"] if asks.landed else ["an admission"]
    if asks.compared_with:
        parts.append(f"a comparison with {', '.join(asks.compared_with)}")
    return " and ".join(parts)


def _at(context: Context, name: str) -> _At:
    """Return where a provider is. Raises ``CtoError`` for one that is not staged, or not there."""
    from gitcto.cli.provider import configured
    from gitcto.policy.eligibility_rule import Candidate, stage_of
    from gitcto.policy.stages import stages
    from gitcto.runtime.agents.backends import look

    found = look(context, configured(context, name))
    if not found.plugin:
        plugin = context.policy.providers[name].plugin
        raise CtoError(f"no plugin provides {plugin!r}", "install it; see `git cto plugins`")
    team = context.ledger.view().team
    staged = team.stages.get(name) if team else None
    recorded = staged.stage if staged and staged.plugin == found.plugin else ""
    known = Candidate(plugin=found.plugin, shipped=found.shipped, stage=recorded)
    stage = stage_of(known)
    if stage is None:
        what = f"plugin {found.plugin!r} is not staged"
        raise CtoError(what, "what it runs is yours, or git-cto's own", ExitCode.USAGE)
    after = stages().after(stage)
    return _At(name=name, found=found, team=team, stage=stage, after=after, recorded=recorded)


def _missing(
    app: App, context: Context, at: _At, places: Sequence[str]
) -> tuple[list[str], Proved]:
    """Return what keeps a provider from the next stage, and what is proved of it."""
    from gitcto.runtime.loop.selecting import admission_of
    from gitcto.runtime.proving.stage_proof import Engine, Proved, compared_well

    asks = at.stage.promotion
    if asks is None:
        return [], Proved()
    missing: list[str] = []
    admission = admission_of(at.team, at.name, at.found.plugin)
    if admission is None or admission.digest != at.found.digest:
        missing.append(f"its program is not admitted: `git cto provider admit {at.name}`")
    engine = Engine(plugin=at.found.plugin, digest=at.found.digest)
    proved = _proved(app, context, engine, asks, places) if asks.landed else Proved()
    if len(proved.landed) < asks.landed:
        have = f"{len(proved.landed)} of {asks.landed} executions"
        missing.append(f"{have} of this program landed in repositories of class {asks.where}")
        missing += proved.refused
    missing += [f"execution {failed} speaks against it" for failed in proved.failed]
    compared = compared_well(at.team, at.name, engine, asks)
    return [*missing, *filter(None, [compared])], proved


def _proved(
    app: App, context: Context, engine: Engine, asks: Promotion, places: Sequence[str]
) -> Proved:
    from gitcto.git.repository import discover
    from gitcto.runtime.proving.stage_proof import Proved, proved_in
    from gitcto.store.chain import teams
    from gitcto.store.ledger import Ledger

    found = Proved()
    repositories = [context.repository]
    repositories += [discover(app.host.cwd / place, app.host.environ) for place in places]
    for repository in repositories:
        for team in teams(repository):
            with Ledger(repository, team, app.effects, app.host.actor, None) as ledger:
                found += proved_in(ledger, engine, asks)
    return found
