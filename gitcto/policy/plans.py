"""Whether a drafted plan may become the team's. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gitcto.policy.facts import Action, Ruling, count, fact
from gitcto.policy.records import Policy

AUTO = "auto"
"""The setting by which policy itself approves of drafts without a problem."""

POLICY = "policy"
"""Who approved where no person was asked."""


def _derived(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    del facts
    return {"approve_drafts": policy.plans.approve_drafts, "max_tasks": str(policy.plans.max_tasks)}


def _rule(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    del policy
    if count(facts, "problems"):
        return Ruling("core.drafts", "there is something wrong with the plan")
    if not count(facts, "tasks"):
        return Ruling("core.drafts", "the plan has no tasks")
    if count(facts, "tasks") > count(facts, "max_tasks"):
        return Ruling("plans.max_tasks", f"a plan has {fact(facts, 'max_tasks')} tasks at most")
    by = fact(facts, "by")
    if by != POLICY:
        return Ruling("core.drafts", f"{by} approved it", allowed=True)
    if fact(facts, "approve_drafts") != AUTO:
        return Ruling("plans.approve_drafts", "policy wants a person to approve it")
    return Ruling("plans.approve_drafts", "policy approves of drafts", allowed=True)


ACTION = Action(
    "draft", ("team", "draft", "digest", "base", "tasks", "problems", "by"), _rule, _derived
)
"""The action ``plan``: adding the tasks of a draft."""
