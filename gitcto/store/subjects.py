"""The subject line of a ledger commit, so that ``git log`` of the ref reads as a timeline."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gitcto.model import events as ev
from gitcto.model.circuit_events import CircuitEventBody
from gitcto.model.context_events import ContextCheckpointed
from gitcto.model.draft_events import DraftEventBody
from gitcto.model.effect_events import EffectEventBody
from gitcto.model.lease_events import LeaseEventBody
from gitcto.model.mail_events import MailEventBody
from gitcto.model.outside_events import OutsideChanged
from gitcto.model.provider_events import ProviderEventBody
from gitcto.model.queue_events import QueueEventBody
from gitcto.model.spending_events import BudgetReached
from gitcto.model.step_events import StepEventBody
from gitcto.store.circuit_subjects import circuit_phrase
from gitcto.store.draft_subjects import draft_phrase
from gitcto.store.effect_subjects import effect_phrase
from gitcto.store.lease_subjects import lease_phrase
from gitcto.store.mail_subjects import mail_phrase
from gitcto.store.provider_subjects import provider_phrase
from gitcto.store.queue_subjects import queue_phrase
from gitcto.store.step_subjects import step_phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.model.view import StateView

_WIDTH = 100

_OfExecution = (
    ev.LeaseRenewed
    | ev.LeaseTaken
    | ContextCheckpointed
    | ev.ExecutionStarted
    | ev.ExecutionExited
    | OutsideChanged
    | ev.WorkHarvested
    | ev.WorkPreserved
    | ev.WorkDiscarded
    | ev.GateJudged
    | ev.LandingIntended
    | ev.LandingAbandoned
    | ev.LandingDone
    | ev.ExecutionFailed
    | ev.OutcomeRefused
    | BudgetReached
)


def subject(view: StateView, bodies: Sequence[ev.EventBody]) -> str:
    """Return one line of at most 100 characters for a transaction about to be recorded."""
    first = _phrase(view, bodies, 0)
    if isinstance(bodies[0], ev.PlanImported) or len(bodies) == 1:
        return _one_line(first)
    phrases = dict.fromkeys(_phrase(view, bodies, number) for number in range(len(bodies)))
    return _one_line(f"{len(bodies)} events: {'; '.join(phrases)}")


def _one_line(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _phrase(  # noqa: C901, PLR0912 - one line a kind
    view: StateView, bodies: Sequence[ev.EventBody], number: int
) -> str:
    body = bodies[number]
    if isinstance(body, CircuitEventBody):
        return circuit_phrase(body)
    if isinstance(body, QueueEventBody):
        return queue_phrase(body, partial(_task, view, bodies))
    if isinstance(body, EffectEventBody):
        return effect_phrase(view, body)
    if isinstance(body, ProviderEventBody):
        return provider_phrase(body)
    if isinstance(body, DraftEventBody):
        return draft_phrase(body)
    if isinstance(body, LeaseEventBody):
        return lease_phrase(body, partial(_task, view, bodies))
    if isinstance(body, MailEventBody):
        return mail_phrase(body, partial(_task, view, bodies))
    if isinstance(body, StepEventBody):
        return f"{_task(view, bodies, body.execution)}: {step_phrase(body)}"
    match body:
        case ev.TeamCreated():
            return f"team {body.team} created, landing on {_branch(body.target)}"
        case ev.PolicyAdopted():
            return f"policy {body.digest[:12]} adopted"
        case ev.TeamModeChanged():
            return f"team {body.mode}"
        case ev.PlanImported():
            return f"plan {body.source}: {body.tasks} tasks"
        case ev.TaskAdded():
            return f"{body.task.id}: added"
        case ev.TaskBlocked():
            return f"{body.task}: blocked ({body.reason})"
        case ev.TaskRequeued():
            return f"{body.task}: queued again"
        case ev.ExecutionLeased():
            return f"{body.task}: attempt {body.attempt} leased to {body.provider}"
        case _:
            return f"{_task(view, bodies, body.execution)}: {_of_execution(body)}"


def _of_execution(body: _OfExecution) -> str:  # noqa: C901, PLR0912 - one line a kind
    match body:
        case ev.LeaseRenewed():
            what = "lease renewed"
        case ev.LeaseTaken():
            what = f"taken over by {body.holder}"
        case ContextCheckpointed():
            saved = f", {body.saved} saved" if body.saved else ""
            what = f"told {body.tokens} of {body.budget} tokens{saved}"
        case ev.ExecutionStarted():
            what = f"started as process {body.pid}"
        case ev.ExecutionExited():
            what = f"worker ended ({body.cause}, code {body.code})"
        case OutsideChanged():
            blocks = ", which blocks its landing" if body.blocking else ""
            what = f"SECURITY: changed outside its room{blocks}: {body.changes[0]}"
        case ev.WorkHarvested():
            what = f"{body.changed} changes harvested"
        case ev.WorkPreserved():
            what = f"work kept at {body.ref}"
        case ev.WorkDiscarded():
            what = f"work discarded ({body.reason or 'no reason given'}), was {body.commit[:12]}"
        case ev.GateJudged():
            what = f"gate {body.verdict.gate}: {body.verdict.status}"
        case ev.LandingIntended():
            what = f"landing on {_branch(body.landing.target)}"
        case ev.LandingAbandoned():
            what = f"landing abandoned ({body.reason})"
        case ev.LandingDone():
            what = f"landed on {_branch(body.target)}"
        case BudgetReached():
            what = f"over its budget ({body.decision.reason})"
        case ev.ExecutionFailed():
            what = f"attempt failed ({body.reason}), {body.then}"
        case ev.OutcomeRefused():
            what = f"{body.command} refused, token {body.quoted} is not {body.current}"
    return what


def _task(view: StateView, bodies: Sequence[ev.EventBody], execution_id: str) -> str:
    for body in bodies:
        if isinstance(body, ev.ExecutionLeased) and body.execution == execution_id:
            return body.task
    execution = view.execution(execution_id)
    return execution.task if execution else execution_id


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
