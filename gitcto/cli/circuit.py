"""``git cto circuit``: which providers are parked, and opening or closing one by hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from gitcto.cli import wording
from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.resting import parked_lines
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.model.records import Team

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])\Z")
_HERE = "gitcto.cli.circuit"


@click.group(
    cls=LazyGroup,
    rows=(
        Row("list", "List the providers that are parked.", f"{_HERE}:list_", "Ask"),
        Row("open", "Park a provider.", f"{_HERE}:open_", "Act"),
        Row("close", "Let a provider be asked again.", f"{_HERE}:close", "Act"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def circuit() -> None:
    """List, park or release providers that met a quota or refused a key."""


@click.command("list")
@team_option
@json_option
@pass_app
def list_(app: App, *, team: str | None, as_json: bool) -> None:
    """List the providers that nothing is asked of now: why, until when, and what to do."""
    with app.reader(team) as reader:
        known = reader.view().team
    circuits = known.circuits if known else {}
    if as_json:
        from gitcto.cli import plain

        app.output.json({"circuits": plain.circuits(circuits)})
    elif not circuits:
        app.output.data("No provider is parked")
    else:
        for line in parked_lines(circuits, app.effects.now_ms()):
            app.output.data(line)


@click.command("open")
@click.argument("provider")
@click.option("--for", "span", metavar="TIME", help="For how long: 30s, 15m, 2h, 1d.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it stays in the ledger.")
@team_option
@pass_app
def open_(app: App, provider: str, *, span: str | None, reason: str, team: str | None) -> None:
    """Park PROVIDER, a name in [providers] of policy: nothing more is started with it.

    What runs with it goes on.
    """
    from gitcto.cli.record import record
    from gitcto.model.circuit_commands import OpenCircuit

    _must_be_known(app, provider)
    until_ms = app.effects.now_ms() + 1000 * _seconds(span) if span else 0
    command = OpenCircuit(
        provider=provider, by=app.host.actor, detail=reason or "no reason given", until_ms=until_ms
    )
    with app.ledger(team) as ledger:
        record(ledger, command)
    when = f"until {wording.moment(until_ms)}" if until_ms else "until somebody closes it"
    app.output.data(f"Provider {provider} is parked {when}")
    app.output.hint(f"take it back with `git cto circuit close {provider}`")


@click.command()
@click.argument("provider")
@team_option
@pass_app
def close(app: App, provider: str, *, team: str | None) -> None:
    """Let PROVIDER be asked again, because what was wrong with it is mended."""
    close_circuit(app, provider, team)
    app.output.hint(
        f"go on with `git cto run`; take it back with `git cto circuit open {provider}`"
    )


def close_circuit(app: App, provider: str, team: str | None, *, quiet: bool = False) -> None:
    """Close a circuit and, unless ``quiet``, say so. Raises ``CtoError`` for an unknown one."""
    from gitcto.cli.record import record
    from gitcto.model.circuit_commands import CloseCircuit

    with app.ledger(team) as ledger:
        known: Team | None = ledger.view().team
        if known is None or provider not in known.circuits:
            _must_be_known(app, provider)
        changed = record(ledger, CloseCircuit(provider=provider, by=app.host.actor)).events
    said = "may be asked again" if changed else "was not parked"
    if not quiet:
        app.output.data(f"Provider {provider} {said}")


def _must_be_known(app: App, provider: str) -> None:
    known = app.policy().providers
    if provider not in known:
        named = ", ".join(sorted(known)) or "none"
        raise CtoError(f"policy has no provider {provider!r}", f"it has {named}", ExitCode.USAGE)


def _seconds(span: str) -> int:
    found = _SPAN.match(span)
    if found is None:
        hint = "write a number and s, m, h or d: 30s, 15m, 2h, 1d"
        raise CtoError(f"{span!r} is no length of time", hint, ExitCode.USAGE)
    return int(found[1]) * _SECONDS[found[2]]
