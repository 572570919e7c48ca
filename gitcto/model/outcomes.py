"""Deciding what an execution's holder reports, once its fencing token has been checked. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict

from gitcto.model import commands as cmd
from gitcto.model import events as ev
from gitcto.model import queue_commands as queue_cmd
from gitcto.model import queue_rules
from gitcto.model.circuit_records import PASSING, TERMINAL
from gitcto.model.commands import OutcomeCommand, Refusal
from gitcto.model.context_commands import RecordCheckpoint
from gitcto.model.context_events import ContextCheckpointed
from gitcto.model.records import WORKING_STATES, Execution, Landing, Task, TaskState, Verdict
from gitcto.model.spending_events import BudgetReached, ReachBudget
from gitcto.model.step_rules import refused_harvest, running

Answer = tuple[ev.EventBody, ...] | Refusal

MAX_UNCHARGED = 10
"""Failed attempts that were neither the task's nor a provider's fault before a person must look."""


def decide_outcome(execution: Execution, task: Task, command: OutcomeCommand) -> Answer:
    """Return the events of an outcome that quotes the task's current token."""
    if isinstance(command, cmd.FailExecution):
        return fail(execution, task, command)
    if isinstance(command, RecordCheckpoint):
        return _checkpoint(task, command)
    return _RULES[type(command)](execution, command)


def _renew(x: Execution, c: cmd.RenewLease) -> Answer:
    if c.expires_ms <= x.expires_ms:
        return ()
    return (ev.LeaseRenewed(execution=x.id, epoch=x.epoch, expires_ms=c.expires_ms),)


def _take(x: Execution, c: cmd.TakeLease) -> Answer:
    if c.lapsed_ms and c.lapsed_ms != x.expires_ms:
        return Refusal("lease_renewed", "model.lease", f"{x.holder} renewed its lease of {x.task}")
    if c.holder == x.holder:
        return ()
    taken = ev.LeaseTaken(
        execution=x.id, epoch=x.epoch, holder=c.holder, expires_ms=max(c.expires_ms, x.expires_ms)
    )
    return (taken,)


def _start(x: Execution, c: cmd.RecordStart) -> Answer:
    if x.state is not TaskState.DISPATCHING:
        return _wrong_state(x, "dispatching")
    started = ev.ExecutionStarted(
        execution=x.id,
        epoch=x.epoch,
        pid=c.pid,
        process_start=c.process_start,
        isolation=c.isolation,
        sandbox=c.sandbox,
        probe=c.probe,
    )
    return (started,)


def _exit(x: Execution, c: cmd.RecordExit) -> Answer:
    if x.state is not TaskState.EXECUTING or x.exit:
        return _wrong_state(x, "executing")
    if running(x):
        return Refusal("step_running", "model.steps", f"{running(x)[0].name} of {x.id} runs")
    return (ev.ExecutionExited(execution=x.id, epoch=x.epoch, code=c.code, cause=c.cause),)


def _harvest(x: Execution, c: cmd.RecordHarvest) -> Answer:
    if x.state is not TaskState.EXECUTING or not x.exit:
        return _wrong_state(x, "executing and exited")
    refused = refused_harvest(x, c)
    if refused is not None:
        return refused
    harvested = ev.WorkHarvested(
        execution=x.id, epoch=x.epoch, commit=c.commit, tree=c.tree, changed=c.changed
    )
    return (harvested,)


def _verdicts(x: Execution, c: cmd.RecordVerdicts) -> Answer:
    if x.state is not TaskState.VALIDATING:
        return _wrong_state(x, "validating")
    return tuple(ev.GateJudged(execution=x.id, epoch=x.epoch, verdict=v) for v in c.verdicts)


def _intend(x: Execution, c: cmd.IntendLanding) -> Answer:
    if x.state is not TaskState.VALIDATING:
        return _wrong_state(x, "validating")
    if not c.required:
        return Refusal("no_gates", c.decision.rule, "no gate is configured, so nothing may land")
    green = {v.gate for v in x.verdicts if v.status == "pass" and _is_about(v, c.landing)}
    missing = [gate for gate in c.required if gate not in green]
    if missing:
        detail = f"no pass on tree {c.landing.tree[:12]} from: {', '.join(missing)}"
        return Refusal("missing_verdict", c.decision.rule, detail)
    unapproved = queue_rules.unapproved(x, c.landing.change)
    if unapproved is not None:
        return unapproved
    if x.outside_blocks:
        detail = f"something outside the room changed: {', '.join(x.outside[:3])}"
        return Refusal("outside_changed", "model.outside", detail)
    if c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    intended = ev.LandingIntended(
        execution=x.id, epoch=x.epoch, landing=c.landing, decision=c.decision
    )
    return (intended,)


def _is_about(verdict: Verdict, landing: Landing) -> bool:
    if verdict.change:
        return verdict.change == landing.change
    return verdict.tree == landing.tree


def _abandon(x: Execution, c: cmd.AbandonLanding) -> Answer:
    if x.landing is None or x.state is not TaskState.INTEGRATING:
        return _wrong_state(x, "integrating")
    return (ev.LandingAbandoned(execution=x.id, epoch=x.epoch, reason=c.reason),)


def _confirm(x: Execution, c: cmd.ConfirmLanding) -> Answer:
    if x.landing is None or x.state is not TaskState.INTEGRATING:
        return _wrong_state(x, "integrating")
    if c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    done = ev.LandingDone(
        execution=x.id,
        epoch=x.epoch,
        target=x.landing.target,
        commit=x.landing.commit or x.landing.new,
        evidence=x.landing.evidence,
        found=c.found,
        decision=c.decision,
        push=c.push,
    )
    return (done,)


def fail(x: Execution, task: Task, c: cmd.FailExecution) -> Answer:
    """End an attempt; its task is queued again, waits for a person, or has failed for good."""
    if x.state is TaskState.INTEGRATING:
        return _wrong_state(x, "not integrating (abandon the landing first)")
    if c.block or _worn_out(task, c):
        then = TaskState.BLOCKED
    elif c.charged and task.charged + 1 >= c.max_attempts:
        then = TaskState.FAILED_TERMINAL
    else:
        then = TaskState.QUEUED
    failed = ev.ExecutionFailed(
        execution=x.id,
        epoch=x.epoch,
        reason=c.reason,
        detail=c.detail,
        charged=c.charged,
        then=then,
        evidence=c.evidence,
        fault=c.fault,
        not_before_ms=c.not_before_ms if then is TaskState.QUEUED else 0,
    )
    return (failed,)


def _worn_out(task: Task, c: cmd.FailExecution) -> bool:
    """Tell whether a failure that is not the task's own is one too many.

    What a parked provider ends is never too much: nothing is started with it meanwhile.
    """
    if c.charged or c.fault in TERMINAL:
        return False
    if c.fault in PASSING:
        return task.faults + 1 >= c.max_faults
    return task.unlucky >= MAX_UNCHARGED


def _reach(x: Execution, c: ReachBudget) -> Answer:
    if x.state not in WORKING_STATES or x.exit:
        return _wrong_state(x, "dispatching or executing")
    if x.over is not None:
        return ()
    if c.decision.verdict != "deny":
        return Refusal("allowed", c.decision.rule, c.decision.reason)
    return (BudgetReached(execution=x.id, epoch=x.epoch, decision=c.decision),)


def _checkpoint(task: Task, c: RecordCheckpoint) -> Answer:
    if c.number != task.checkpoint + 1:
        detail = f"{task.spec.id} has {task.checkpoint} checkpoints, this would be {c.number}"
        return Refusal("out_of_order", "model.context", detail)
    return (ContextCheckpointed(**asdict(c)),)


def _wrong_state(execution: Execution, wanted: str) -> Refusal:
    detail = f"execution {execution.id} is {execution.state}, not {wanted}"
    return Refusal("wrong_state", "model.states", detail)


_RULES: dict[type, Callable[[Execution, Any], Answer]] = {
    cmd.RenewLease: _renew,
    cmd.TakeLease: _take,
    cmd.RecordStart: _start,
    cmd.RecordExit: _exit,
    cmd.RecordHarvest: _harvest,
    ReachBudget: _reach,
    cmd.RecordVerdicts: _verdicts,
    cmd.IntendLanding: _intend,
    cmd.AbandonLanding: _abandon,
    cmd.ConfirmLanding: _confirm,
    queue_cmd.Enqueue: queue_rules.enqueue,
    queue_cmd.RequestApproval: queue_rules.request_approval,
}
