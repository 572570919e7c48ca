"""The events of drafted plans."""

from __future__ import annotations

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.body import Body
from gitcto.model.draft_records import Draft
from gitcto.model.records import Decision


class PlanDrafted(Body, frozen=True, kw_only=True, tag_field="kind", tag="plan.drafted"):
    """An agent was asked for a plan, and this came of it; the answer is kept whatever it is.

    ``decision`` is why its provider was asked, ``fault`` why its run is no success, ``wall_ms`` how
    long it took.
    """

    draft: Draft
    decision: Decision
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
    """``by`` does not want this draft; what the agent answered stays in the ledger."""

    draft: str
    by: str
    reason: str = ""


DraftEventBody = PlanDrafted | PlanApproved | PlanRejected
"""Every kind of event about drafted plans."""
