"""``git cto effects``: what was done outside, and what a person must look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.model.records import OutsideEffect
    from gitcto.store.reader import LedgerReader

_SHOWN = 12


@click.group(
    cls=LazyGroup,
    rows=(
        Row("list", "List what was done outside.", f"{__name__}:list_", "Ask"),
        Row("resolve", "Say what became of one.", f"{__name__}:resolve", "Act"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def effects() -> None:
    """List what was done outside for the team's tasks, or settle what nobody can look up."""


@click.command("list")
@click.option("--unclear", "only", is_flag=True, help="Only those that wait for a person.")
@team_option
@json_option
@pass_app
def list_(app: App, *, only: bool, team: str | None, as_json: bool) -> None:
    """List what was done outside: pull requests, and whatever else integrations do.

    `intended` was begun and has no receipt yet: the next run, or asking again, looks for it.
    `unclear` waits for a person.
    """
    with app.reader(team) as reader:
        found = [each for each in _effects(reader) if not only or each[1].state == "unclear"]
    if as_json:
        app.output.json({"effects": [_plain(task, each) for task, each in found]})
        return
    if not found:
        app.output.data("Nothing waits for a person" if only else "Nothing was done outside")
        return
    app.output.table(
        ("KEY", "TASK", "EFFECT", "STATE", "WHERE"),
        [
            (each.key[:_SHOWN], task, each.effect, each.state, each.url or each.why or "-")
            for task, each in found
        ],
    )
    if any(each.state == "unclear" for _, each in found):
        app.output.hint("look there, then `git cto effects resolve KEY --done URL` or `--not-done`")


@click.command()
@click.argument("key")
@click.option("--done", "url", metavar="URL", help="It was done, and is there.")
@click.option("--not-done", "missing", is_flag=True, help="It was not: it may be sent again.")
@team_option
@pass_app
def resolve(app: App, key: str, *, url: str | None, missing: bool, team: str | None) -> None:
    """Say what became of KEY, which may be cut short: the ledger remembers who said so.

    Look at the other end first. What you say is not done is sent when it is next asked for.
    """
    from gitcto.cli.record import record
    from gitcto.model.effect_commands import ResolveEffect

    if (url is None) is not missing or url == "":
        raise CtoError(
            "say either where it is or that it is not there",
            "add `--done URL`, or `--not-done`",
            ExitCode.USAGE,
        )
    with app.ledger(team) as ledger:
        task, held = _one(ledger, key)
        said = ResolveEffect(task=task, key=held.key, done=not missing, url=visible(url or ""))
        record(ledger, said)
    what = f"The {held.effect} of {task}"
    short = held.key[:_SHOWN]
    if missing:
        app.output.data(visible(f"{what} is not done, and may be sent again"))
        app.output.hint(f"take it back with `git cto effects resolve {short} --done URL`")
    else:
        app.output.data(visible(f"{what} is done: {url}"))
        app.output.hint(f"take it back with `git cto effects resolve {short} --not-done`")


def _effects(reader: LedgerReader) -> list[tuple[str, OutsideEffect]]:
    return [(task.spec.id, each) for task in reader.tasks() for each in task.effects.values()]


def _one(reader: LedgerReader, key: str) -> tuple[str, OutsideEffect]:
    found = [each for each in _effects(reader) if key and each[1].key.startswith(key)]
    if len(found) == 1:
        return found[0]
    raise CtoError(
        f"{len(found)} effects have a key that begins with {key!r}",
        "`git cto effects list` has the keys",
        ExitCode.USAGE,
    )


def _plain(task: str, each: OutsideEffect) -> dict[str, object]:
    return {
        "key": each.key,
        "task": task,
        "effect": each.effect,
        "integration": each.integration,
        "state": each.state,
        "how": each.how,
        "url": each.url,
        "id": each.id,
        "why": each.why,
        "epoch": each.epoch,
        "sender": each.sender,
        "until_ms": each.until_ms,
    }
