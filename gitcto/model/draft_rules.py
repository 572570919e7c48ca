"""Deciding and evolving drafted plans. Pure."""

from __future__ import annotations

from typing import TypeVar, get_args

from msgspec.structs import replace

from gitcto.model import draft_commands as cmd
from gitcto.model import draft_events as ev
from gitcto.model.circuit_events import CircuitEventBody
from gitcto.model.circuit_rules import left, refused
from gitcto.model.commands import Refusal
from gitcto.model.draft_records import MAX_DRAFTS, Draft
from gitcto.model.records import Team
from gitcto.model.spending import counted, of_run
from gitcto.model.view import StateView

Answer = tuple[ev.DraftEventBody | CircuitEventBody, ...] | Refusal

DRAFT_COMMANDS = get_args(cmd.DraftCommand)
"""The types of the commands that :func:`decide_draft` answers."""

DRAFT_EVENTS = get_args(ev.DraftEventBody)
"""The types of the events that :func:`evolve_draft` folds."""

DRAFTER = "planner"
"""The role that what a draft used is counted for."""

_RULE = "model.drafts"
_Kept = TypeVar("_Kept")


def decide_draft(view: StateView, team: Team, command: cmd.DraftCommand, now_ms: int) -> Answer:
    """Return the events of a command, or why it is refused."""
    match command:
        case cmd.AskPlan():
            return _ask(view, team, command, now_ms)
        case cmd.RecordDraft():
            return _record(view, team, command, now_ms)
        case cmd.ApproveDraft():
            return _approve(team, command)
    if command.draft not in (*team.drafts, *team.asked):
        return _unknown(command.draft)
    return (ev.PlanRejected(draft=command.draft, by=command.by, reason=command.reason),)


def _ask(view: StateView, team: Team, c: cmd.AskPlan, now_ms: int) -> Answer:
    if c.asked.id in (*team.drafts, *team.asked):
        return Refusal("draft_exists", _RULE, f"draft {c.asked.id} exists")
    waiting = len(team.drafts) + len(team.asked)
    if waiting >= MAX_DRAFTS:
        return Refusal("drafts_full", _RULE, f"{waiting} drafts wait already")
    if c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    parked = refused(view, c.asked.provider, c.asked.id, now_ms)
    return parked or (ev.PlanAsked(asked=c.asked, decision=c.decision),)


def _record(view: StateView, team: Team, c: cmd.RecordDraft, now_ms: int) -> Answer:
    if c.draft.id not in team.asked:
        return Refusal("not_asked", _RULE, f"nobody asked for draft {c.draft.id}")
    if c.fault is not None and c.draft.tasks:
        return Refusal("bad_draft", _RULE, f"draft {c.draft.id} is of a run that failed")
    drafted = ev.PlanDrafted(draft=c.draft, usage=c.usage, fault=c.fault, wall_ms=c.wall_ms)
    return (drafted, *left(view, c.draft.provider, c.draft.id, c.fault, now_ms))


def _approve(team: Team, c: cmd.ApproveDraft) -> Answer:
    draft = team.drafts.get(c.draft)
    if draft is None:
        return _unknown(c.draft)
    problem = _not_approvable(draft, c)
    if problem:
        return Refusal("bad_draft", _RULE, f"draft {c.draft} {problem}")
    if c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    approved = ev.PlanApproved(draft=c.draft, digest=c.digest, by=c.by, decision=c.decision)
    return (approved,)


def _not_approvable(draft: Draft, c: cmd.ApproveDraft) -> str:
    if draft.digest != c.digest:
        return f"is {draft.digest[:12]}, not {c.digest[:12]}"
    if draft.problems or not draft.tasks:
        return f"cannot be approved: {draft.first_problem or 'it has no tasks'}"
    return ""


def _unknown(draft: str) -> Refusal:
    return Refusal("no_draft", _RULE, f"no draft {draft} waits for a word")


def evolve_draft(team: Team, event: ev.DraftEventBody, ts: int) -> Team:
    """Return the team that an event leads to."""
    if isinstance(event, ev.PlanAsked):
        asked = replace(event.asked, asked_ms=ts)
        return replace(team, asked={**team.asked, asked.id: asked})
    if isinstance(event, ev.PlanDrafted):
        draft = replace(event.draft, created_ms=ts)
        spent = of_run(event.usage, ts - event.wall_ms, ts)
        used = counted(team.used, draft.provider, DRAFTER, spent, ts)
        drafts = {**team.drafts, draft.id: draft}
        return replace(team, drafts=drafts, asked=_without(team.asked, draft.id), used=used)
    gone = event.draft
    return replace(team, drafts=_without(team.drafts, gone), asked=_without(team.asked, gone))


def _without(named: dict[str, _Kept], gone: str) -> dict[str, _Kept]:
    return {name: each for name, each in named.items() if name != gone}
