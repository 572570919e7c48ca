"""``evolve``: one event on one state gives the records that change. Pure and total.

It never refuses: what is in the ledger has happened. An event about something unknown changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from msgspec.structs import replace

from gitcto.model import events as ev
from gitcto.model.circuit_events import CircuitEventBody
from gitcto.model.circuit_rules import evolve_circuit
from gitcto.model.codec import Event, Opaque
from gitcto.model.context_events import ContextCheckpointed
from gitcto.model.draft_rules import DRAFT_EVENTS, evolve_draft
from gitcto.model.effect_rules import EFFECT_EVENTS, evolve_effect
from gitcto.model.kept_work import given_up, kept
from gitcto.model.lease_events import LeaseEventBody, StopAsked
from gitcto.model.lease_evolve import evolve_lease
from gitcto.model.mail_changes import evolve_mail
from gitcto.model.mail_events import MailEventBody
from gitcto.model.moving import counted, moved
from gitcto.model.outside_events import OutsideChanged
from gitcto.model.provider_rules import PROVIDER_EVENTS, evolve_provider
from gitcto.model.queue_events import QueueEventBody
from gitcto.model.queue_rules import evolve_queue
from gitcto.model.records import Execution, Record, Task, TaskState, Team
from gitcto.model.spending_events import BudgetReached
from gitcto.model.spending_evolve import after_failure, charged
from gitcto.model.step_events import StepEventBody
from gitcto.model.step_rules import evolve_step, over
from gitcto.model.view import StateView

Records = tuple[Record, ...]

_AFRESH: dict[str, Any] = dict.fromkeys(("charged", "faults", "unlucky", "not_before_ms"), 0)


class _At(NamedTuple):
    view: StateView
    team: Team
    ts: int
    seq: int


def evolve(view: StateView, event: Event, seq: int) -> Records:
    """Return the records that ``event``, the ledger's number ``seq``, replaces."""
    body = event.body
    if isinstance(body, ev.TeamCreated):
        if view.team is not None:
            return ()
        return (Team(name=body.team, target=body.target, created_ms=event.ts),)
    team = view.team
    if team is None:
        return ()
    if isinstance(body, Opaque):
        return (replace(team, unknown=team.unknown + 1),)
    rule = _RULES.get(type(body))
    return () if rule is None else rule(_At(view, team, event.ts, seq), body)


def _policy_adopted(at: _At, e: ev.PolicyAdopted) -> Records:
    return (replace(at.team, policy=e.digest),)


def _mode(at: _At, e: ev.TeamModeChanged) -> Records:
    return (replace(at.team, mode=e.mode),)


def _task_added(at: _At, e: ev.TaskAdded) -> Records:
    needed = (at.view.task(task_id) for task_id in e.task.depends_on)
    waiting = sum(1 for task in needed if task is None or task.state is not TaskState.DONE)
    task = Task(spec=e.task, order=at.seq, queued_seq=at.seq, queued_ms=at.ts, waiting_for=waiting)
    return (counted(at.team, None, task.state), task)


def _blocked(at: _At, e: ev.TaskBlocked) -> Records:
    task = at.view.task(e.task)
    if task is None:
        return ()
    return moved(at.team, task, TaskState.BLOCKED, reason=e.reason, detail=e.decision.reason)


def _requeued(at: _At, e: ev.TaskRequeued) -> Records:
    task = at.view.task(e.task)
    if task is None:
        return ()
    return moved(at.team, task, TaskState.QUEUED, queued_seq=at.seq, queued_ms=at.ts, **_AFRESH)


def _stop_asked(at: _At, e: StopAsked) -> Records:
    task = at.view.task(e.task)
    if task is None:
        return ()
    reason = e.reason or "no reason given"
    if task.state is TaskState.QUEUED:
        return moved(at.team, task, TaskState.BLOCKED, reason="stopped", detail=reason)
    return _on_execution(at, task.execution, stop=reason)


def _leased(at: _At, e: ev.ExecutionLeased) -> Records:
    task = at.view.task(e.task)
    if task is None:
        return ()
    execution = Execution(
        id=e.execution,
        task=e.task,
        epoch=e.epoch,
        attempt=e.attempt,
        state=TaskState.DISPATCHING,
        holder=e.holder,
        base=e.base,
        provider=e.provider,
        role=e.role,
        workspace=e.workspace,
        strategy=e.strategy,
        strategy_file=e.strategy_file,
        nonce=e.nonce,
        leased_ms=at.ts,
        expires_ms=e.expires_ms,
    )
    changes = {"epoch": e.epoch, "attempts": e.attempt, "execution": e.execution}
    cleared = {"reason": "", "detail": ""}
    return (*moved(at.team, task, TaskState.DISPATCHING, **changes, **cleared), execution)


def _renewed(at: _At, e: ev.LeaseRenewed) -> Records:
    return _on_execution(at, e.execution, expires_ms=e.expires_ms)


def _checkpointed(at: _At, e: ContextCheckpointed) -> Records:
    execution = at.view.execution(e.execution)
    task = at.view.task(execution.task) if execution else None
    return () if task is None else (replace(task, checkpoint=e.number),)


def _reached(at: _At, e: BudgetReached) -> Records:
    return _on_execution(at, e.execution, over=e.decision)


def _taken(at: _At, e: ev.LeaseTaken) -> Records:
    return _on_execution(at, e.execution, holder=e.holder, expires_ms=e.expires_ms)


def _started(at: _At, e: ev.ExecutionStarted) -> Records:
    return _on_both(
        at,
        e.execution,
        TaskState.EXECUTING,
        pid=e.pid,
        process_start=e.process_start,
        isolation=e.isolation,
        sandbox=e.sandbox,
        started_ms=at.ts,
    )


def _exited(at: _At, e: ev.ExecutionExited) -> Records:
    return _on_execution(at, e.execution, exit=e.cause, code=e.code, ended_ms=at.ts)


def _outside(at: _At, e: OutsideChanged) -> Records:
    execution = at.view.execution(e.execution)
    if execution is None:
        return ()
    seen = tuple(dict.fromkeys((*execution.outside, *e.changes)))
    blocks = execution.outside_blocks or e.blocking
    return (replace(execution, outside=seen, outside_blocks=blocks),)


def _harvested(at: _At, e: ev.WorkHarvested) -> Records:
    return _on_both(
        at,
        e.execution,
        TaskState.VALIDATING,
        work=e.commit,
        tree=e.tree,
        changed=e.changed,
        place=at.seq,
    )


def _preserved(at: _At, e: ev.WorkPreserved) -> Records:
    execution = at.view.execution(e.execution)
    return () if execution is None else (kept(execution, e),)


def _discarded(at: _At, e: ev.WorkDiscarded) -> Records:
    execution = at.view.execution(e.execution)
    return () if execution is None else (given_up(execution, e),)


def _judged(at: _At, e: ev.GateJudged) -> Records:
    execution = at.view.execution(e.execution)
    if execution is None:
        return ()
    others = tuple(v for v in execution.verdicts if v.gate != e.verdict.gate)
    return (replace(execution, verdicts=(*others, e.verdict)),)


def _intended(at: _At, e: ev.LandingIntended) -> Records:
    return _on_both(at, e.execution, TaskState.INTEGRATING, landing=e.landing)


def _abandoned(at: _At, e: ev.LandingAbandoned) -> Records:
    execution = at.view.execution(e.execution)
    kept = tuple(v for v in execution.verdicts if v.change) if execution else ()
    changes = {"landing": None, "verdicts": kept}
    return _on_both(at, e.execution, TaskState.VALIDATING, **changes)


def _landed(at: _At, e: ev.LandingDone) -> Records:
    execution = at.view.execution(e.execution)
    task = at.view.task(execution.task) if execution else None
    if execution is None or task is None:
        return ()
    done = replace(execution, state=TaskState.DONE, evidence=e.evidence)
    done_task = moved(
        at.team, task, TaskState.DONE, commit=e.commit, evidence=e.evidence, push=e.push
    )
    freed = (at.view.task(name) for name in at.view.dependents(task.spec.id))
    waiting = (replace(t, waiting_for=t.waiting_for - 1) for t in freed if t is not None)
    return (*done_task, done, *waiting)


def _failed(at: _At, e: ev.ExecutionFailed) -> Records:
    execution = at.view.execution(e.execution)
    task = at.view.task(execution.task) if execution else None
    if execution is None or task is None:
        return ()
    ended = over(execution, e, at.ts)
    cut = (ended.steps[n] for n, step in enumerate(execution.steps) if step.runs)
    team, task = charged(at.team, task, cut)
    changes = after_failure(task, e, at.seq, at.ts)
    return (team, *moved(team, task, e.then, **changes), ended)


def _on_execution(at: _At, execution_id: str, **changes: Any) -> Records:
    execution = at.view.execution(execution_id)
    return () if execution is None else (replace(execution, **changes),)


def _on_both(at: _At, execution_id: str, to: TaskState, **changes: Any) -> Records:
    execution = at.view.execution(execution_id)
    task = at.view.task(execution.task) if execution else None
    if execution is None or task is None:
        return ()
    return (*moved(at.team, task, to), replace(execution, state=to, **changes))


_RULES: dict[type, Callable[[_At, Any], Records]] = {
    **dict.fromkeys(get_args(QueueEventBody), lambda at, e: evolve_queue(at.view, at.team, e)),
    **dict.fromkeys(get_args(LeaseEventBody), lambda at, e: evolve_lease(at.view, e, at.ts)),
    **dict.fromkeys(get_args(StepEventBody), lambda at, e: evolve_step(at.view, e, at.ts)),
    **dict.fromkeys(EFFECT_EVENTS, lambda at, e: evolve_effect(at.view, at.team, e)),
    **dict.fromkeys(DRAFT_EVENTS, lambda at, e: (evolve_draft(at.team, e, at.ts),)),
    **dict.fromkeys(PROVIDER_EVENTS, lambda at, e: evolve_provider(at.team, e)),
    **dict.fromkeys(get_args(CircuitEventBody), lambda at, e: evolve_circuit(at.team, e, at.ts)),
    **dict.fromkeys(get_args(MailEventBody), lambda at, e: evolve_mail(at.view, e, at.ts)),
    ev.PolicyAdopted: _policy_adopted,
    ev.TeamModeChanged: _mode,
    ev.TaskAdded: _task_added,
    ev.TaskBlocked: _blocked,
    ev.TaskRequeued: _requeued,
    StopAsked: _stop_asked,
    ev.ExecutionLeased: _leased,
    ev.LeaseRenewed: _renewed,
    ev.LeaseTaken: _taken,
    ContextCheckpointed: _checkpointed,
    BudgetReached: _reached,
    ev.ExecutionStarted: _started,
    ev.ExecutionExited: _exited,
    OutsideChanged: _outside,
    ev.WorkHarvested: _harvested,
    ev.WorkPreserved: _preserved,
    ev.WorkDiscarded: _discarded,
    ev.GateJudged: _judged,
    ev.LandingIntended: _intended,
    ev.LandingAbandoned: _abandoned,
    ev.LandingDone: _landed,
    ev.ExecutionFailed: _failed,
}
