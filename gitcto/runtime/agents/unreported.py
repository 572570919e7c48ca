"""Budgets that cannot be held: providers that do not report what is limited."""

from __future__ import annotations

from gitcto.errors import CtoError, ExitCode
from gitcto.plugins import Plugins
from gitcto.policy.records import Policy


def unreported(plugins: Plugins, policy: Policy) -> tuple[str, ...]:
    """Return a line for each provider of policy that a budget cannot be held against."""
    units = [unit for unit in policy.budgets.units if unit != "wall_s"]
    offered = plugins.providers() if units else {}
    found = []
    for name, settings in policy.providers.items():
        registered = offered.get(settings.plugin)
        counts = registered.descriptor.abilities.usage if registered else "none"
        known = {"cost": {"tokens", "usd"}, "tokens": {"tokens"}}.get(counts, set())
        missing = [{"tokens": "tokens", "usd": "cost"}[u] for u in units if u not in known]
        if missing:
            found.append(f"provider {name} reports no {' and no '.join(missing)}")
    return tuple(found)


def must_be_reported(plugins: Plugins, policy: Policy) -> tuple[str, ...]:
    """Return what budgets cannot be held against; ``CtoError`` where policy refuses it."""
    found = unreported(plugins, policy)
    if found and policy.budgets.unknown_usage == "refuse":
        raise CtoError(
            f"{found[0]}, so the budgets of policy cannot be held",
            'use another provider, limit wall_s instead, or set [budgets] unknown_usage = "tell"',
            ExitCode.POLICY,
        )
    return found
