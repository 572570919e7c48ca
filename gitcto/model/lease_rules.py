"""Deciding who holds a task when its worker is silent, or comes too late. Pure."""

from __future__ import annotations

from gitcto.model import events as ev
from gitcto.model import lease_commands as cmd
from gitcto.model import lease_events as lease
from gitcto.model.commands import FailExecution, Refusal
from gitcto.model.outcomes import Answer, fail
from gitcto.model.queue_events import EjectionAsked
from gitcto.model.records import (
    LIVE_STATES,
    WORKING_STATES,
    Execution,
    Task,
    TaskState,
    TeamMode,
)
from gitcto.model.view import StateView

FENCED = frozenset({"holder_lost", "lease_expired", "lease_stolen"})
"""Reasons of failed attempts whose worker may come late with good work."""

_RULE = "model.lease"


def expire(x: Execution, task: Task, c: cmd.ExpireLease) -> Answer:
    """End an attempt of which nothing moved, and queue its task again."""
    if x.state is not TaskState.EXECUTING or x.exit:
        return Refusal("wrong_state", "model.states", f"execution {x.id} has no worker")
    if c.limit_ms <= 0 or c.quiet_ms < c.limit_ms:
        detail = f"{x.task} was quiet for {c.quiet_ms} ms of {c.limit_ms} ms"
        return Refusal("lease_alive", _RULE, detail)
    expired = lease.LeaseExpired(
        execution=x.id, epoch=x.epoch, quiet_ms=c.quiet_ms, limit_ms=c.limit_ms, signs=c.signs
    )
    quiet_s = c.quiet_ms // 1000
    detail = f"no heartbeat, no CPU time, no output and no file written for {quiet_s} s"
    return _ended(x, task, expired, "lease_expired", detail, c.max_attempts)


def decide_lease(view: StateView, command: cmd.LeaseCommand, now_ms: int) -> Answer:
    """Return the events of a command about who holds a task, or why it is refused."""
    match command:
        case cmd.StealLease():
            return _steal(view, command)
        case cmd.StopTask():
            return _stop(view, command)
        case cmd.AdoptWork():
            return _adopt(view, command, now_ms)


def _steal(view: StateView, c: cmd.StealLease) -> Answer:
    x = view.execution(c.execution)
    task = view.task(x.task) if x else None
    if x is None or task is None:
        return Refusal("no_execution", _RULE, f"there is no execution {c.execution}")
    if x.state not in LIVE_STATES or x.epoch != c.epoch:
        return Refusal("not_held", _RULE, f"{x.task} is {task.state}; nobody holds it by that")
    if x.state is TaskState.INTEGRATING:
        return Refusal("wrong_state", "model.states", f"{x.task} is landing")
    stolen = lease.LeaseStolen(
        execution=x.id, epoch=x.epoch, holder=x.holder, by=c.by, reason=c.reason
    )
    detail = f"{c.by} took it away from {x.holder}: {c.reason or 'no reason given'}"
    return _ended(x, task, stolen, "lease_stolen", detail, c.max_attempts)


def _ended(  # noqa: PLR0913, PLR0917  # what ended, how, and why
    x: Execution,
    task: Task,
    how: lease.LeaseExpired | lease.LeaseStolen,
    reason: str,
    detail: str,
    max_attempts: int,
) -> Answer:
    failed = fail(
        x,
        task,
        FailExecution(
            execution=x.id,
            epoch=x.epoch,
            reason=reason,
            detail=detail,
            charged=False,
            max_attempts=max_attempts,
        ),
    )
    return failed if isinstance(failed, Refusal) else (how, *failed)


def _stop(view: StateView, c: cmd.StopTask) -> Answer:
    task = view.task(c.task)
    if task is None:
        return Refusal("no_task", "model.task", f"there is no task {c.task}")
    if task.state is TaskState.VALIDATING:
        return (EjectionAsked(execution=task.execution, reason=c.reason),)
    if task.state is not TaskState.QUEUED and task.state not in WORKING_STATES:
        return Refusal("wrong_state", "model.states", f"{c.task} is {task.state}")
    return (lease.StopAsked(task=c.task, reason=c.reason),)


def _adopt(view: StateView, c: cmd.AdoptWork, now_ms: int) -> Answer:
    source = view.execution(c.source)
    task = view.task(source.task) if source else None
    if source is None or task is None:
        return Refusal("no_execution", _RULE, f"there is no execution {c.source}")
    if source.state in LIVE_STATES or source.reason not in FENCED:
        return Refusal("not_late", _RULE, f"{c.source} did not lose its lease")
    if view.execution(c.execution) is not None:
        return Refusal("execution_exists", _RULE, f"{c.execution} was used before")
    if source.late:
        return ()
    reason, detail = _why_not(view, source, task, c, now_ms)
    if reason:
        refused = lease.AdoptionRefused(
            execution=source.id, commit=c.commit, reason=reason, detail=detail
        )
        return (refused,)
    return _adopted(source, task, c)


def newer(view: StateView, source: Execution, task: Task) -> tuple[str, str]:
    """Return what exists that is newer than a late worker's work, as code and detail, or nothing.

    An attempt that has begun since is newer, unless it is over and left nothing.
    """
    if task.state is TaskState.DONE:
        return "task_done", f"{task.spec.id} has landed"
    if task.state in LIVE_STATES:
        return "newer_attempt", f"attempt {task.attempts} is {task.state}"
    if task.state is not TaskState.QUEUED:
        return "task_ended", f"{task.spec.id} is {task.state}: {task.reason}"
    if task.execution == source.id:
        return "", ""
    newest = view.execution(task.execution)
    if newest is None or newest.work or task.attempts > source.attempt + 1:
        return "newer_work", f"attempt {task.attempts} left work of its own"
    return "", ""


def _why_not(
    view: StateView, source: Execution, task: Task, c: cmd.AdoptWork, now_ms: int
) -> tuple[str, str]:
    exists = newer(view, source, task)
    if exists[0]:
        return exists
    if view.team is None or view.team.mode is TeamMode.STOPPED:
        return "team_stopped", "a person stopped the team"
    if c.unfinished:
        return "unfinished", c.unfinished
    if source.outside_blocks:
        return "outside_changed", f"outside its room: {', '.join(source.outside[:3])}"
    if source.discarded:
        return "discarded", "a person gave its work up"
    if c.expires_ms <= now_ms:
        return "expired", "the lease would be over before it begins"
    if c.decision.verdict != "allow":
        return "policy", f"{c.decision.rule}: {c.decision.reason}"
    return "", ""


def _adopted(source: Execution, task: Task, c: cmd.AdoptWork) -> Answer:
    epoch = task.epoch + 1
    leased = ev.ExecutionLeased(
        execution=c.execution,
        task=source.task,
        epoch=epoch,
        attempt=task.attempts + 1,
        base=source.base,
        provider=source.provider,
        role=source.role,
        workspace=source.workspace,
        holder=c.holder,
        expires_ms=c.expires_ms,
        decision=c.decision,
        nonce=c.nonce,
        strategy=source.strategy,
        strategy_file=source.strategy_file,
    )
    adopted = lease.WorkAdopted(execution=c.execution, source=source.id, commit=c.commit)
    harvested = ev.WorkHarvested(
        execution=c.execution, epoch=epoch, commit=c.commit, tree=c.tree, changed=c.changed
    )
    return (leased, adopted, harvested)
