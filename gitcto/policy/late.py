"""Whether policy lets work be judged that came after its lease. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gitcto.policy.facts import Ruling, count, fact
from gitcto.policy.gates import required_gates
from gitcto.policy.records import Policy

NEEDS = ("team", "task", "tier", "execution", "epoch", "source", "commit")
"""The facts that the rule is applied to, beside policy's own."""


def derived(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    """Return what policy adds to the facts: whether it adopts late work, and the tier's gates."""
    return {
        "adopt_late": str(policy.retries.adopt_late).lower(),
        "gates": ",".join(required_gates(policy, fact(facts, "tier"))),
    }


def rule(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    """Say whether late work may be judged as a new attempt's; whether it lands is asked then."""
    count(facts, "epoch")
    tier = fact(facts, "tier")
    if not policy.retries.adopt_late:
        return Ruling("retries.adopt_late", "policy does not adopt work that came too late")
    if not required_gates(policy, tier):
        return Ruling(f"tiers.{tier}.gates", f"no gate is configured for tier {tier}")
    return Ruling("retries.adopt_late", "late work may be judged anew", allowed=True)
