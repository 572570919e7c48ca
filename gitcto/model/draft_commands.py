"""Commands about drafted plans."""

from __future__ import annotations

from msgspec import Struct

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.draft_records import Asked, Draft
from gitcto.model.records import Decision


class AskPlan(Struct, frozen=True, kw_only=True):
    """Ask an agent for a plan; ``decision`` is why its provider."""

    asked: Asked
    decision: Decision


class RecordDraft(Struct, frozen=True, kw_only=True):
    """Record what an agent answered; see :class:`gitcto.model.draft_events.PlanDrafted`."""

    draft: Draft
    usage: Usage = Usage()
    fault: Fault | None = None
    wall_ms: int = 0


class ApproveDraft(Struct, frozen=True, kw_only=True):
    """``by`` approves exactly the plan with this digest; its tasks are added together with it."""

    draft: str
    digest: str
    by: str
    decision: Decision


class RejectDraft(Struct, frozen=True, kw_only=True):
    """``by`` does not want a draft any more, or asks for one no more."""

    draft: str
    by: str
    reason: str = ""


DraftCommand = AskPlan | RecordDraft | ApproveDraft | RejectDraft
"""Commands about drafted plans."""
