"""What happened to the steps of executions, as the subject lines of the ledger say it."""

from __future__ import annotations

from gitcto.model.step_events import StepEventBody, StepStarted


def step_phrase(body: StepEventBody) -> str:
    """Return an event about a step in words."""
    if isinstance(body, StepStarted):
        return f"step {body.number}, {body.name}, by {body.provider} ({body.why or 'first'})"
    if body.fault is not None:
        return f"step {body.number} ended ({body.fault.kind})"
    if body.verdict:
        return f"step {body.number} ended ({body.verdict} {body.change[:12]})"
    return f"step {body.number} ended ({body.changed} changes)"
