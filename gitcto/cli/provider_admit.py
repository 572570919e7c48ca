"""``git cto provider admit`` and ``revoke``: a person's word on the program behind a provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.cli.persons import refuse_worker
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.model.provider_records import Admission
    from gitcto.runtime.core.installed import Installed
    from gitcto.store.ledger import Ledger

_SHOWN = 12
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a person says of a program; empty is what the program says of itself."""

    source: str
    version: str
    licence: str
    command: str
    retrieved: str
    mode: str
    boundary: tuple[str, ...]


@click.command()
@click.argument("name")
@click.option("--source", default="", metavar="WHERE", help="Where it comes from.")
@click.option("--version", "version_", default="", metavar="V", help="Exactly which version it is.")
@click.option("--licence", default="", metavar="SPDX", help="Its licence, such as Apache-2.0.")
@click.option("--command", default="", metavar="LINE", help="The command that fetched it.")
@click.option("--retrieved", default="", metavar="DAY", help="When, as YYYY-MM-DD; else today.")
@click.option(
    "--mode",
    type=click.Choice(["edit", "read"]),
    default="edit",
    show_default=True,
    help="Whether it may change files, or only read and answer.",
)
@click.option(
    "--never",
    multiple=True,
    metavar="WHAT",
    help="What it must never see: a class of repositories, the path of one, or a glob of files."
    " May be given several times.",
)
@team_option
@json_option
@pass_app
def admit(  # noqa: PLR0913  # one for each option
    app: App,
    name: str,
    *,
    source: str,
    version_: str,
    licence: str,
    command: str,
    retrieved: str,
    mode: str,
    never: tuple[str, ...],
    team: str | None,
    as_json: bool,
) -> None:
    """Admit the program of provider NAME: exactly the one that is installed now.

    Its files are hashed, and the hash is compared before every start: whatever changes there, also
    by an update, is refused until it is admitted again. What the program says of its version,
    licence and source is taken where you say nothing.
    """
    from gitcto.cli.provider import configured
    from gitcto.cli.requests import run_context
    from gitcto.runtime.agents.backends import look

    refuse_worker(app.host.environ, "admit it")
    said = _Said(
        source=source,
        version=version_,
        licence=licence,
        command=command,
        retrieved=retrieved or _today(app),
        mode=mode,
        boundary=never,
    )
    with run_context(app, app.team(team)) as context:
        found = look(context, configured(context, name))
        admission = _admission(name, found, said, app.effects.new_id())
        admission, new = _recorded(context.ledger, admission)
    _say(app, admission, new=new, as_json=as_json)


def _recorded(ledger: Ledger, admission: Admission) -> tuple[Admission, bool]:
    """Record an admission; return it with the one that it replaces, and whether it is new."""
    from gitcto.cli.record import record
    from gitcto.model.provider_commands import AdmitProvider

    new = bool(record(ledger, AdmitProvider(admission=admission)).events)
    team = ledger.view().team
    return (team.admissions[admission.provider] if team else admission), new


def _say(app: App, admission: Admission, *, new: bool, as_json: bool) -> None:
    from gitcto.cli.provider import admission_lines, plain_record

    if as_json:
        app.output.json({"admission": plain_record(admission), "new": new})
        return
    for label, value in admission_lines(admission):
        app.output.data(f"{label:<10} {visible(value)}")
    if not new:
        app.output.talk("it was admitted exactly so before; nothing was recorded")
    app.output.hint(f"undo: `git cto provider revoke {admission.provider}`")


@click.command()
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the ledger.")
@team_option
@pass_app
def revoke(app: App, name: str, *, reason: str, team: str | None) -> None:
    """Let the program of provider NAME start no more; what runs goes on to its end."""
    from gitcto.cli.record import record
    from gitcto.model.provider_commands import RevokeAdmission

    refuse_worker(app.host.environ, "revoke it")
    with app.ledger(team) as ledger:
        record(ledger, RevokeAdmission(provider=name, reason=reason))
    app.output.data(f"The program of {visible(name)} may not be started any more")
    app.output.hint(
        f"undo: `git cto provider admit {visible(name)}`; `git cto stop` ends what runs"
    )


def _today(app: App) -> str:
    return datetime.fromtimestamp(app.effects.now_ms() / 1000, UTC).strftime("%Y-%m-%d")


def _admission(name: str, found: Installed, said: _Said, new_id: str) -> Admission:
    """Return the record; raises ``CtoError`` for what cannot be admitted, or is not known."""
    from gitcto.model.provider_records import Admission

    _refuse_unknown(name, found)
    known = _known(name, found, said)
    return Admission(
        id=new_id,
        provider=name,
        plugin=found.plugin,
        digest=found.digest,
        version=known["--version"],
        licence=known["--licence"],
        source=known["--source"],
        command=known["--command"],
        retrieved=said.retrieved,
        files=tuple(str(path) for path in found.files),
        mode="read" if said.mode == "read" else "edit",
        boundary=said.boundary,
    )


def _refuse_unknown(name: str, found: Installed) -> None:
    if not found.plugin or found.unavailable:
        what = found.unavailable or "no plugin provides it"
        hint = "install it, then admit it"
        raise CtoError(f"provider {name!r} cannot be admitted: {what}", hint, ExitCode.REFUSED)
    if not found.digest:
        raise CtoError(
            f"the plugin {found.plugin!r} does not say what it executes for provider {name!r}",
            "nothing can be admitted; its author must fill in `Probe.backend`",
        )


def _known(name: str, found: Installed, said: _Said) -> dict[str, str]:
    """Return what is recorded, by option: what a person says, else what the program says."""
    from gitcto.policy.names import day

    source = said.source or found.source
    known = {
        "--source": source,
        "--version": said.version or found.version,
        "--licence": said.licence or found.licence,
        "--command": said.command or _fetching(source),
    }
    for option, value in known.items():
        if not value or not value.isprintable() or len(value) > _LONGEST:
            what = f"the program of {name!r} does not say its {option.removeprefix('--')}"
            hint = f"look it up, and give it in one line with `{option}`"
            raise CtoError(what, hint, ExitCode.USAGE)
    for entry in said.boundary:
        if not entry or entry.startswith("~") or ".." in entry.split("/"):
            hint = "give a class, the whole path of a repository, or a glob of a repository's files"
            raise CtoError(f"--never {entry!r} would keep it from nothing", hint, ExitCode.USAGE)
    if day(said.retrieved):
        raise CtoError(
            f"--retrieved: {day(said.retrieved)}", "leave it out for today", ExitCode.USAGE
        )
    return known


def _fetching(source: str) -> str:
    """Return the command that fetches a package of npm; nothing for anything else."""
    package = source.removeprefix("npm:")
    return f"npm install {package}" if package != source else ""
