"""Whether budgets allow that an agent is asked for a plan."""

from __future__ import annotations

from gitcto.errors import CtoError, ExitCode
from gitcto.model.spending import Spent
from gitcto.policy.budget_rule import TAKEN, ahead, amount, shortage
from gitcto.runtime.host.context import Context


def must_be_affordable(context: Context) -> None:
    """Raise ``CtoError`` when the team's or the day's budget has too little left for another run.

    What agents use that work at this moment is not counted yet.
    """
    team, now_ms = context.ledger.view().team, context.effects.now_ms()
    spent = {"task": Spent()}
    if team is not None:
        spent |= {"team": team.used.all, "day": team.used.day.at(now_ms)}
    taken = {
        f"{TAKEN}{scope}.{unit}": str(amount((spent.get(scope, Spent()),), unit))
        for scope, unit, _ in ahead(context.policy)
    }
    short = shortage(context.policy, taken)
    if short is not None:
        raise CtoError(
            f"no agent is asked for a plan: {short.reason}",
            f"see `git cto usage`, and raise {short.rule} in policy.toml",
            ExitCode.PARKED,
        )
