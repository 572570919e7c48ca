"""``git cto provider``: who may work here, what of it is admitted, and why somebody was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row, closest
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.app import App
    from gitcto.model.provider_records import Admission
    from gitcto.model.records import Team
    from gitcto.policy.records import Policy
    from gitcto.runtime.core.installed import Installed
    from gitcto.runtime.host.context import Context

_SHOWN = 12
_ADMIT, _WHY = "gitcto.cli.provider_admit", "gitcto.cli.provider_why"


@click.group(
    cls=LazyGroup,
    rows=(
        Row(
            "list",
            "List the providers of policy, and how far each is.",
            f"{__name__}:listed",
            "Ask",
        ),
        Row("show", "Show what is known of one provider.", f"{__name__}:show", "Ask"),
        Row("why", "Show who was chosen for a task, and why.", f"{_WHY}:why", "Ask"),
        Row("admit", "Let the program of a provider run.", f"{_ADMIT}:admit", "Decide"),
        Row("revoke", "Let it run no more.", f"{_ADMIT}:revoke", "Decide"),
        Row(
            "stage",
            "See or change what it may work on.",
            "gitcto.cli.provider_stage:stage",
            "Decide",
        ),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def provider() -> None:
    """Decide which agents may work here, and see why one was chosen."""


@click.command("list")
@team_option
@json_option
@pass_app
def listed(app: App, *, team: str | None, as_json: bool) -> None:
    """List the providers of policy.toml: their programs, admissions and stages.

    Every program is looked at and hashed; nothing is run.
    """
    from gitcto.cli.requests import run_context
    from gitcto.runtime.agents.backends import look

    with run_context(app, app.team(team)) as context:
        known = context.ledger.view().team
        found = {name: look(context, name) for name in context.policy.providers}
    if as_json:
        plain = [_plain(name, one, known, context.policy) for name, one in found.items()]
        app.output.json({"providers": plain})
        return
    app.output.table(
        ("PROVIDER", "PLUGIN", "VERSION", "PROGRAM", "ADMITTED", "STAGE"),
        [
            (
                name,
                context.policy.providers[name].plugin,
                one.version or "-",
                one.digest[:_SHOWN] or "-",
                standing(name, one, known, context.policy),
                stage_name(name, one, known),
            )
            for name, one in found.items()
        ],
    )


@click.command()
@click.argument("name")
@team_option
@json_option
@pass_app
def show(app: App, name: str, *, team: str | None, as_json: bool) -> None:
    """Show provider NAME: its program, its admission, its stage and its last comparison."""
    from gitcto.cli.requests import run_context
    from gitcto.runtime.agents.backends import look

    with run_context(app, app.team(team)) as context:
        known = context.ledger.view().team
        found = look(context, configured(context, name))
    if as_json:
        app.output.json({"provider": _plain(name, found, known, context.policy)})
        return
    for label, value in _facts(name, found, known, context.policy):
        app.output.data(f"{label:<10} {visible(value)}".rstrip())
    if found.files:
        app.output.data()
        app.output.table(("EXECUTED",), [(str(path),) for path in found.files])


def configured(context: Context, name: str) -> str:
    """Return a provider's name; raises ``CtoError`` (exit 2) for one that policy does not have."""
    if name in context.policy.providers:
        return name
    guess = closest(name, list(context.policy.providers))
    raise CtoError(
        f"policy.toml has no provider {name!r}{guess}",
        f"`git cto provider list` lists them; another is a section [providers.{name}]",
        ExitCode.USAGE,
    )


def standing(name: str, found: Installed, team: Team | None, policy: Policy) -> str:
    """Return how the admission of a provider stands, in a word or two."""
    from gitcto.policy.eligibility_rule import Candidate, needs_admission
    from gitcto.runtime.loop.selecting import admission_of

    if found.unavailable or not found.plugin:
        return "not available"
    admission = admission_of(team, name, found.plugin)
    if admission is not None:
        return "yes" if admission.digest == found.digest else "changed since"
    if not needs_admission(policy, Candidate(plugin=found.plugin, shipped=found.shipped)):
        return "not needed"
    last = team.admissions.get(name) if team else None
    return "revoked" if last is not None and last.revoked else "no"


def stage_name(name: str, found: Installed, team: Team | None) -> str:
    """Return the stage of a provider; ``-`` for one that is not staged."""
    from gitcto.policy.eligibility_rule import Candidate, stage_of

    staged = team.stages.get(name) if team else None
    recorded = staged.stage if staged and staged.plugin == found.plugin else ""
    known = Candidate(plugin=found.plugin, shipped=found.shipped, stage=recorded)
    stage = stage_of(known)
    return stage.name if stage else "-"


def _facts(
    name: str, found: Installed, team: Team | None, policy: Policy
) -> Iterator[tuple[str, str]]:
    yield "provider", name
    ours = "part of git-cto" if found.shipped else "of another distribution"
    gated = ", a gated engine" if found.gated else ""
    yield "plugin", f"{found.plugin or policy.providers[name].plugin} ({ours}){gated}"
    if found.unavailable:
        yield "problem", found.unavailable
    yield "program", found.digest or "not known"
    yield "says", ", ".join(filter(None, (found.version, found.licence, found.source))) or "nothing"
    yield "admitted", standing(name, found, team, policy)
    admission = team.admissions.get(name) if team else None
    if admission is not None:
        yield from admission_lines(admission)
    yield "stage", stage_name(name, found, team)
    compared = team.comparisons.get(name) if team else None
    if compared is not None:
        did = ", ".join(f"{one.provider} {one.landed} of {one.tasks}" for one in compared.results)
        yield "compared", f"{compared.id}: {did}"


def admission_lines(admission: Admission) -> Iterator[tuple[str, str]]:
    """Yield what is recorded in an admission, label by label."""
    yield "record", admission.id
    if admission.previous:
        yield "replaces", admission.previous
    if admission.revoked:
        yield "revoked", admission.revoked
    yield "hash", admission.digest
    yield "version", admission.version
    yield "licence", admission.licence
    yield "source", admission.source
    yield "retrieved", f"{admission.retrieved}, by: {admission.command}"
    yield "may", admission.mode
    yield "never", ", ".join(admission.boundary) or "nothing is ruled out"


def _plain(name: str, found: Installed, team: Team | None, policy: Policy) -> dict[str, object]:
    from dataclasses import asdict

    admission = team.admissions.get(name) if team else None
    compared = team.comparisons.get(name) if team else None
    return {
        "name": name,
        **asdict(found),
        "plugin": policy.providers[name].plugin,
        "files": [str(path) for path in found.files],
        "admitted": standing(name, found, team, policy),
        "admission": plain_record(admission),
        "stage": stage_name(name, found, team),
        "comparison": plain_record(compared),
    }


def plain_record(record: object) -> object:
    """Return a record of the ledger as plain values; None stays None."""
    import json

    from gitcto.model.codec import canonical

    return json.loads(canonical(record))
