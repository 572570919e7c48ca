"""``git cto strategy``: which strategies there are, what one does, and who fills its roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.policy.records import Policy
    from gitcto.strategies.records import Strategy

_HERE = "gitcto.cli.strategy"


@click.group(
    cls=LazyGroup,
    rows=(
        Row("list", "List the strategies.", f"{_HERE}:list_", "Ask"),
        Row("show", "Show one, and who fills its roles.", f"{_HERE}:show", "Ask"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def strategy() -> None:
    """List or show the strategies: who does what within one attempt."""


@click.command("list")
@json_option
@pass_app
def list_(app: App, *, as_json: bool) -> None:
    """List the strategies of policy and of plugins.

    A role of policy names the one that its tasks are done by.
    """
    from gitcto.runtime.host.strategies import strategy_names, strategy_of

    policy, plugins = app.policy(), app.plugins
    found = [strategy_of(plugins, policy, name) for name in strategy_names(plugins, policy)]
    if as_json:
        listed = [
            {"name": each.name, "summary": each.summary, "roles": _used_by(policy, each.name)}
            for each in found
        ]
        app.output.json({"strategies": listed})
        return
    app.output.table(
        ("STRATEGY", "ROLES", "WHAT IT IS"),
        [(each.name, ",".join(_used_by(policy, each.name)) or "-", each.summary) for each in found],
    )
    app.output.hint("`git cto strategy show NAME` shows one")


@click.command()
@click.argument("name")
@json_option
@pass_app
def show(app: App, name: str, *, as_json: bool) -> None:
    """Show what strategy NAME does, step by step, and who fills its roles under this policy."""
    from gitcto.runtime.host.strategies import strategy_of

    policy = app.policy()
    try:
        found = strategy_of(app.plugins, policy, name)
    except CtoError as error:
        raise CtoError(error.message, error.hint, ExitCode.USAGE) from error
    if as_json:
        app.output.json({"strategy": _plain(policy, found)})
        return
    _print(app, policy, found)


def _print(app: App, policy: Policy, found: Strategy) -> None:
    from gitcto.strategies.picture import failure_lines, picture

    out = app.output
    out.data(f"{found.name}: {visible(found.summary)}")
    out.data()
    for line in picture(found):
        out.data(line)
    out.data()
    rows = [
        (
            role,
            ", ".join(_who(policy, found, role)) or "-",
            "own words" if words.prompt else "usual",
        )
        for role, words in found.filled.items()
    ]
    out.table(("ROLE", "PROVIDERS", "TOLD"), rows)
    failures = failure_lines(found)
    if failures:
        out.data()
        out.data("When a step fails (otherwise: stop):")
        for line in failures:
            out.data(f"  {line}")
    if not _used_by(policy, found.name):
        out.hint(f'use it with strategy = "{found.name}" in a role of policy.toml')


def _plain(policy: Policy, found: Strategy) -> dict[str, object]:
    return {
        "name": found.name,
        "summary": found.summary,
        "combine": found.combine,
        "rounds": found.rounds,
        "most_steps": found.most_steps,
        "used_by": _used_by(policy, found.name),
        "roles": {role: list(_who(policy, found, role)) for role in found.filled},
        "steps": [
            {
                "name": step.name,
                "role": step.role,
                "kind": step.kind,
                "seat": step.seat,
                "group": step.group,
                "reads": [str(source) for source in step.reads],
                "failures": {key: list(ladder) for key, ladder in step.failures.items()},
            }
            for step in found.steps
        ],
    }


def _who(policy: Policy, found: Strategy, role: str) -> tuple[str, ...]:
    """Return who fills a role: for the roles of policy that use the strategy, else for none."""
    from gitcto.policy.strategies import candidates

    users = [policy.roles[name].providers for name in _used_by(policy, found.name)] or [()]
    every = (each for own in users for each in candidates(policy, found, role, own))
    return tuple(dict.fromkeys(every))


def _used_by(policy: Policy, name: str) -> list[str]:
    return [role for role, settings in policy.roles.items() if settings.strategy == name]
