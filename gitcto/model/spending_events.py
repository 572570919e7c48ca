"""The event and the command of a budget that is used up."""

from __future__ import annotations

from msgspec import Struct

from gitcto.model.body import Body
from gitcto.model.records import Decision


class BudgetReached(Body, frozen=True, kw_only=True, tag_field="kind", tag="budget.reached"):
    """A running execution has used what a budget allows: its agents are going to be ended.

    ``decision`` is the denial, by the rule of that budget.
    """

    execution: str
    epoch: int
    decision: Decision


class ReachBudget(Struct, frozen=True, kw_only=True):
    """End an execution because of a budget; see :class:`BudgetReached`. It quotes its token."""

    execution: str
    epoch: int
    decision: Decision
