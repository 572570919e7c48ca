"""The subject lines of drafted plans."""

from __future__ import annotations

from gitcto.model import draft_events as ev

_SHOWN = 8


def draft_phrase(body: ev.DraftEventBody) -> str:
    """Return what an event says."""
    match body:
        case ev.PlanAsked():
            return f"plan {body.asked.id[-_SHOWN:]} asked of {body.asked.provider}"
        case ev.PlanDrafted():
            one = body.draft
            wrong = f", {one.problems} problems" if one.problems else ""
            return f"plan {one.id[-_SHOWN:]} drafted by {one.provider}: {one.tasks} tasks{wrong}"
        case ev.PlanApproved():
            return f"plan {body.draft[-_SHOWN:]} approved by {body.by}"
    return f"plan {body.draft[-_SHOWN:]} rejected by {body.by} ({body.reason or 'no reason given'})"
