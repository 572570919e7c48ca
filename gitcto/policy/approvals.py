"""Whether the persons whom policy asks have approved a change, and who may. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitcto.policy.facts import Ruling, fact
from gitcto.policy.records import Policy
from gitcto.policy.table import shown

_APPROVED = "approved."


def facts(change: str, by: Iterable[str]) -> dict[str, str]:
    """Return as facts who approved the change with this id."""
    return {f"{_APPROVED}{person}": change for person in by}


def missing(policy: Policy, tier: str, facts: Mapping[str, str]) -> str:
    """Return which approvals of the change that would land are missing, or nothing."""
    asks = policy.approvals.get(tier)
    if asks is None:
        return ""
    change = fact(facts, "change")
    said = {k.removeprefix(_APPROVED): v for k, v in facts.items() if k.startswith(_APPROVED)}
    given = asks.counted(by for by, about in said.items() if change and about == change)
    if len(given) >= asks.count:
        return ""
    return f"{len(given)} of {asks.count} persons have approved this change"


def derived(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    """Return what policy adds to the facts: whom it names."""
    asks = policy.approvals.get(fact(facts, "tier"))
    return {"approvers": "\n".join(asks.approvers) if asks else ""}


def rule(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    """Say whether somebody may answer for a change of a tier."""
    by, tier = fact(facts, "by"), fact(facts, "tier")
    path = f"tiers.{tier}.approval"
    asks = policy.approvals.get(tier)
    if asks is None:
        return Ruling(path, f"policy asks nobody about tier {tier}")
    if by == fact(facts, "holder"):
        return Ruling("core.approval", "a run cannot approve what it made")
    if not asks.counted((by,)):
        named = ", ".join(asks.approvers)
        return Ruling(f"{path}.approvers", f"{shown(by)} is not among {named}")
    return Ruling(path, f"{shown(by)} may answer for tier {tier}", allowed=True)
