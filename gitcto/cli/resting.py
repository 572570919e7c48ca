"""What keeps a team from going on for a while, in words: providers that rest, and budgets."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gitcto.cli import wording
from gitcto.cli.output import visible
from gitcto.errors import CtoError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitcto.cli.app import App
    from gitcto.model.circuit_records import Circuit
    from gitcto.model.records import Team
    from gitcto.model.spending import Spent
    from gitcto.policy.records import Policy


def lines(app: App, team: Team, waits: Sequence[int]) -> Iterator[str]:
    """Yield a line for each parked provider, for tasks that wait, and for each budget.

    ``waits`` are the times before which tasks are not tried again, the next one first.
    """
    from gitcto.cli.requests import policy_at_hand

    now_ms = app.effects.now_ms()
    yield from parked_lines(team.circuits, now_ms)
    ahead = [each for each in waits if each > now_ms]
    if ahead:
        some = "1 task waits" if len(ahead) == 1 else f"{len(ahead)} tasks wait"
        first = wording.moment(ahead[0])
        yield f"{some} after a provider's fault; the next is tried again at {first}"
    if team.used.providers:
        with suppress(CtoError):  # how a team stands is shown without a policy, too
            yield from budget_lines(of_team(policy_at_hand(app, team.name), team, now_ms))


def parked_lines(circuits: Mapping[str, Circuit], now_ms: int) -> Iterator[str]:
    """Yield a line for each provider that is parked: why, until when, and what to do."""
    for name, each in sorted(circuits.items()):
        why = f"{each.reason}: {each.detail}" if each.detail else each.reason
        close_it = f"`git cto circuit close {name}`"
        if not each.until_ms:
            what = f"until somebody mends it and says so: {close_it}"
        elif each.until_ms > now_ms:
            what = f"until {wording.moment(each.until_ms)}; sooner with {close_it}"
        else:
            what = "its time is over, so the next run tries it with one attempt"
        yield visible(f"Provider {name} is parked ({why}) {what}")


def budget_lines(left: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each budget: how much of it is used and how much is left."""
    from gitcto.policy.budget_settings import shown_amount

    for each in left:
        unit, limit, used = each["unit"], each["limit"], each["used"]
        rest = shown_amount(unit, max(0, limit - used))
        used_of = f"{shown_amount(unit, used)} of {shown_amount(unit, limit)}"
        yield f"Budget of the {each['scope']}: {used_of} used, {rest} left"


def of_team(policy: Policy, team: Team, now_ms: int) -> Iterator[Mapping[str, Any]]:
    """Yield how the budgets of a team and of its day stand."""
    yield from left_of(policy, "team", team.used.all)
    yield from left_of(policy, "day", team.used.day.at(now_ms))


def left_of(policy: Policy, scope: str, spent: Spent) -> Iterator[Mapping[str, Any]]:
    """Yield how each budget of a scope stands."""
    from gitcto.policy.budget_rule import amount
    from gitcto.policy.budget_settings import UNITS

    for unit in UNITS:
        limit = policy.budgets.of(scope).of(unit)
        if limit:
            used = amount((spent,), unit)
            yield {"scope": scope, "unit": unit, "limit": limit, "used": used}
