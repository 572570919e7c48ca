"""Whether a task may be given to a worker now. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gitcto.model.isolation import at_least
from gitcto.policy import budget_rule
from gitcto.policy.facts import Ruling, count, fact
from gitcto.policy.gates import required_gates
from gitcto.policy.records import Policy
from gitcto.policy.table import shown

NEEDS = ("team", "task", "tier", "execution", "epoch", "role", "charged", "live", "isolation")
"""The facts that the rule is applied to, beside policy's own and what is used of its budgets."""


def derived(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    """Return what policy adds to the facts: the role's room, the tier's gates and limits."""
    role = policy.roles.get(fact(facts, "role"))
    return {
        "gates": ",".join(required_gates(policy, fact(facts, "tier"))),
        "least_isolation": policy.tier_levels.get(fact(facts, "tier"), ""),
        "max_attempts": str(policy.retries.max_attempts),
        "max_workers": str(policy.max_workers),
        "provider": role.provider if role else "",
        "workspace": role.workspace if role else "",
    }


def rule(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    """Say whether another attempt may begin."""
    role, tier = fact(facts, "role"), fact(facts, "tier")
    live, charged = count(facts, "live"), count(facts, "charged")
    count(facts, "epoch")
    if role not in policy.roles:
        return Ruling(f"roles.{role}", f"policy has no role {shown(role)}")
    if not required_gates(policy, tier):
        return Ruling(f"tiers.{tier}.gates", f"no gate is configured for tier {tier}")
    level, least = fact(facts, "isolation"), policy.tier_levels.get(tier, "")
    if not at_least(level, least):
        reason = f"workers run at level {shown(level)}, tier {tier} demands {shown(least)}"
        return Ruling(f"tiers.{tier}.sandbox", reason)
    if charged >= policy.retries.max_attempts:
        return Ruling("retries.max_attempts", f"{charged} attempts have failed")
    short = budget_rule.shortage(policy, facts)
    if short is not None:
        return short
    seats = f"{live} of {policy.max_workers} workers are live"
    return Ruling("concurrency.max_workers", seats, allowed=live < policy.max_workers)
