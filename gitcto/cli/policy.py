"""``git cto policy``: whether the policy file is right, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app
from gitcto.cli.output import visible

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.policy.records import Policy, Setting
    from gitcto.policy.strategies import StrategySettings

_HERE = "gitcto.cli.policy"


@click.group(
    cls=LazyGroup,
    rows=(
        Row("validate", "Check the policy and the plugins it names.", f"{_HERE}:validate", "Ask"),
        Row("show", "Show what the policy says.", f"{_HERE}:show", "Ask"),
        Row("verify", "Decide everything again.", "gitcto.cli.policy_verify:verify", "Ask"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def policy() -> None:
    """Validate, show or prove the policy that every decision cites."""


file_argument = click.argument("file", required=False, type=click.Path(path_type=Path))


def _read(app: App, file: Path | None) -> Policy:
    from gitcto.policy.load import load

    return app.policy() if file is None else load(app.host.cwd / file)


@click.command()
@file_argument
@json_option
@pass_app
def validate(app: App, *, file: Path | None, as_json: bool) -> None:
    """Check FILE (the repository's policy.toml by default).

    Shows every problem at once, each with its line, and names quarantined tests whose time is
    over. Exit 4 when it is wrong, 5 when a plugin that it requires is missing.
    """
    from gitcto.effects import day_of
    from gitcto.policy.quarantine import expired
    from gitcto.runtime.agents.unreported import must_be_reported

    checked = _read(app, file)
    app.plugins.require(checked.required_plugins)
    warnings = _strategies(app, checked, file.name if file else app.policy_path.name)
    unheld = must_be_reported(app.plugins, checked)
    over = expired(checked, day_of(app.effects.now_ms()))
    if as_json:
        tests = [one.test for one in over]
        app.output.json(
            {
                "valid": True,
                "digest": checked.digest,
                "expired_quarantine": tests,
                "warnings": warnings,
                "budgets_not_held": list(unheld),
            }
        )
        return
    for line in warnings:
        app.output.warn(visible(line))
    for what in unheld:
        app.output.warn(f"{what}: no budget can be held against what it uses")
    for one in over:
        app.output.warn(
            f"the quarantine of {visible(one.test)} ended with {one.expires}, its failures count "
            f"again; {visible(one.owner)} was to mend it"
        )
    name = file.name if file else app.policy_path.name
    tiers = ", ".join(f"{tier}: {len(gates)}" for tier, gates in sorted(checked.tiers.items()))
    app.output.data(f"{name} is valid (gates {tiers}; digest {checked.digest[:12]})")


def _strategies(app: App, checked: Policy, name: str) -> list[str]:
    """Return warnings about strategies; raises ``CtoError`` (exit 4) for what cannot run."""
    from gitcto.errors import CtoError, ExitCode
    from gitcto.runtime.agents.strategy_check import strategy_problems

    found = strategy_problems(app.plugins, checked)
    grave = [f"{name}: {problem.message}" for problem in found if problem.grave]
    if grave:
        hint = "correct it; `git cto strategy list` lists the strategies"
        raise CtoError("\n".join(grave), hint, ExitCode.POLICY)
    return [problem.message for problem in found]


@click.command()
@file_argument
@json_option
@pass_app
def show(app: App, *, file: Path | None, as_json: bool) -> None:
    """Show what FILE (the repository's policy.toml by default) comes down to."""
    shown = _read(app, file)
    if as_json:
        app.output.json({"policy": summary(shown)})
        return
    from gitcto.policy.explain import explain

    for line in explain(shown):
        app.output.data(visible(line))


def summary(shown: Policy) -> dict[str, object]:
    """Return a policy as plain values, for ``--json``."""
    return {
        "digest": shown.digest,
        "target": shown.target_template,
        "max_workers": shown.max_workers,
        "lease_s": shown.lease_s,
        "limits": asdict(shown.limits),
        "retries": asdict(shown.retries),
        "eligibility": asdict(shown.eligibility),
        "roles": {
            name: {"providers": list(role.providers), "workspace": role.workspace}
            for name, role in shown.roles.items()
        },
        "providers": {
            name: {"plugin": each.plugin, "settings": _settings(each.settings)}
            for name, each in shown.providers.items()
        },
        "gates": {
            name: {
                "plugin": gate.plugin,
                "deadline_s": gate.deadline_s,
                "toolchain": list(gate.toolchain),
                "env": list(gate.env),
                "settings": _settings(gate.settings),
            }
            for name, gate in shown.gates.items()
        },
        "quarantine": [asdict(one) for one in shown.quarantine],
        "sandbox": asdict(shown.sandbox),
        "workspace": asdict(shown.rooms),
        "tiers": {tier: list(gates) for tier, gates in shown.tiers.items()},
        "tier_sandbox": dict(shown.tier_levels),
        "merge": list(shown.merge_resolvers),
        "plans": asdict(shown.plans),
        "strategies": {name: _strategy(each) for name, each in shown.strategies.items()},
        "required_plugins": dict(shown.required_plugins),
        "protected_paths": list(shown.protected_paths),
        "default_paths": list(shown.default_paths),
    }


def _strategy(settings: StrategySettings) -> dict[str, object]:
    return {
        "providers": {role: list(who) for role, who in settings.providers.items()},
        "prompts": dict(settings.prompts),
        "own": settings.own is not None,
    }


def _settings(settings: Mapping[str, Setting]) -> dict[str, object]:
    return {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
    }
