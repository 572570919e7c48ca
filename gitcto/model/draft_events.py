"""The events of drafted plans."""

from __future__ import annotations

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.body import Body
from gitcto.model.draft_records import Asked, Draft
from gitcto.model.records import Decision


class PlanAsked(Body, frozen=True, kw_only=True, tag_field="kind", tag="plan.asked"):
    """The intent to ask an agent for a plan; ``decision`` is why its provider."""

    asked: Asked
    decision: Decision


class PlanDrafted(Body, frozen=True, kw_only=True, tag_field="kind", tag="plan.drafted"):
    """An agent was asked for a plan, and this came of it; the answer is kept whatever it is.

    ``fault`` is why its run is no success, ``wall_ms`` how long it took.
    """

    draft: Draft
    usage: Usage = Usage()
    fault: Fault | None = None
    wall_ms: int = 0


class PlanApproved(Body, frozen=True, kw_only=True, tag_field="kind", tag="plan.approved"):
    """``by`` (or policy) approved exactly the draft with this digest.

    The events that add its tasks follow in the same transaction.
    """

    draft: str
    digest: str
    by: str
    decision: Decision


class PlanRejected(Body, frozen=True, kw_only=True, tag_field="kind", tag="plan.rejected"):
    """``by`` does not want this draft, or no agent began it; any answer stays in the ledger."""

    draft: str
    by: str
    reason: str = ""


DraftEventBody = PlanAsked | PlanDrafted | PlanApproved | PlanRejected
"""Every kind of event about drafted plans."""
