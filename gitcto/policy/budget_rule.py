"""What budgets allow: whether another execution may begin, and whether one may go on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitcto.model.records import Decision
from gitcto.model.spending import Spent
from gitcto.policy.budget_settings import SCOPES, UNITS, Limit, shown_amount
from gitcto.policy.facts import Action, BadFactError, Ruling, count, fact
from gitcto.policy.records import Policy

TAKEN = "budget."
"""What the facts begin with that say how much of a budget is used or set aside."""

_WHOSE = {"execution": "an execution", "task": "a task", "team": "the team", "day": "a day"}
_UNITS_OF_REASONS = {"tokens": "budget_tokens", "usd": "budget_money", "wall_s": "budget_wall"}


def ahead(policy: Policy) -> tuple[Limit, ...]:
    """Return the limits that another execution must fit into: all but its own."""
    return tuple(each for each in policy.budgets.limits if each.scope != "execution")


def amount(parts: Iterable[Spent], unit: str) -> int:
    """Return what was spent in all in a unit of budgets; what nobody counted is nothing."""
    if unit == "usd":
        return sum(each.usage.cost_micros or 0 for each in parts)
    if unit == "tokens":
        return sum(each.usage.tokens for each in parts)
    return -(-sum(each.wall_ms for each in parts) // 1000)


def shortage(policy: Policy, facts: Mapping[str, str]) -> Ruling | None:
    """Return the denial of another execution, which would not fit into a budget, or None.

    It must fit with all that one execution may use, so that those that run at once never use more
    than there is. Raises :class:`BadFactError` when a fact is missing.
    """
    for scope, unit, limit in ahead(policy):
        taken = count(facts, f"{TAKEN}{scope}.{unit}")
        asks = policy.budgets.execution.of(unit)
        if taken + (asks or 1) > limit:
            said = f"{shown_amount(unit, taken)} of {shown_amount(unit, limit)} that"
            one = f", and one execution may use {shown_amount(unit, asks)}" if asks else ""
            reason = f"{said} {_WHOSE[scope]} may use are used or set aside{one}"
            return Ruling(f"budgets.{scope}.{unit}", reason)
    return None


def used_up(limit: int, used: int) -> bool:
    """Tell whether nothing is left of a limit."""
    return used >= limit


def may_wait(decision: Decision) -> bool:
    """Tell whether a denied task may stay in the queue: the budget is not its own."""
    return decision.rule.startswith(("budgets.team.", "budgets.day."))


def reason_code(decision: Decision) -> str:
    """Return the stable code for the failure of an execution that a budget ended."""
    return _UNITS_OF_REASONS.get(decision.rule.rpartition(".")[2], "budget")


def _going_on(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    scope, unit, used = fact(facts, "scope"), fact(facts, "unit"), count(facts, "used")
    count(facts, "epoch")
    if scope not in SCOPES or unit not in UNITS:
        raise BadFactError(f"there is no budget {scope}.{unit}")
    limit, rule = policy.budgets.of(scope).of(unit), f"budgets.{scope}.{unit}"
    said = f"{shown_amount(unit, used)} are used"
    if not limit:
        return Ruling(rule, f"{said}, nothing is limited", allowed=True)
    said = f"{said} of {shown_amount(unit, limit)} that {_WHOSE[scope]} may use"
    return Ruling(rule, said, allowed=not used_up(limit, used))


def _nothing_derived(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    del policy, facts
    return {}


_NEEDS = ("team", "task", "tier", "execution", "epoch", "scope", "unit", "used")
ACTION = Action("execution", _NEEDS, _going_on, _nothing_derived)
"""Going on within budgets, among the actions of :mod:`gitcto.policy.decisions`."""
