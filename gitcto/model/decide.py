"""``decide``: a command on a state at a time gives events, or a refusal. Pure.

A refusal is a value with a stable code and the rule that said no; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from gitcto.model import commands as cmd
from gitcto.model import events as ev
from gitcto.model.commands import Command, OutcomeCommand, Refusal
from gitcto.model.ids import is_team_name
from gitcto.model.plan import validate
from gitcto.model.records import (
    LIVE_STATES,
    MAX_WORKERS,
    Execution,
    Task,
    TaskState,
    Team,
    TeamMode,
)

if TYPE_CHECKING:
    from gitcto.model.state import StateView

Answer = tuple[ev.EventBody, ...] | Refusal

MAX_UNCHARGED = 100
"""Failed attempts that were not the task's fault before a person must look."""

_OUTCOMES = get_args(OutcomeCommand)


class _On(NamedTuple):
    view: StateView
    team: Team
    now_ms: int


def decide(view: StateView, command: Command, now_ms: int) -> Answer:
    """Return the events that ``command`` leads to, or why it is refused.

    An outcome that quotes an old fencing token leads to one ``outcome.refused`` event: it is
    remembered and changes nothing.
    """
    team = view.team
    if isinstance(command, cmd.CreateTeam):
        return _create_team(team, command)
    if team is None:
        return Refusal("no_team", "model.team", "this team does not exist")
    if isinstance(command, _OUTCOMES):
        return _outcome(view, command)
    return _RULES[type(command)](_On(view, team, now_ms), command)


def _create_team(team: Team | None, c: cmd.CreateTeam) -> Answer:
    if team is not None:
        return Refusal("team_exists", "model.team", f"team {team.name} exists")
    if not is_team_name(c.team):
        return Refusal("bad_team_name", "model.team", f"{c.team!r} cannot name a team")
    return (ev.TeamCreated(team=c.team, target=c.target),)


def _adopt_policy(on: _On, c: cmd.AdoptPolicy) -> Answer:
    return () if on.team.policy == c.digest else (ev.PolicyAdopted(digest=c.digest),)


def _set_mode(on: _On, c: cmd.SetMode) -> Answer:
    return () if on.team.mode is c.mode else (ev.TeamModeChanged(mode=c.mode),)


def _import_plan(on: _On, c: cmd.ImportPlan) -> Answer:
    known = {name for task in c.tasks for name in (task.id, *task.depends_on) if on.view.task(name)}
    problems = validate(c.tasks, known)
    if problems:
        first = problems[0]
        return Refusal(first.code, "model.plan", f"{first.task}: {first.message}")
    seen = set(known)
    for task in c.tasks:
        if not seen.issuperset(task.depends_on):
            return Refusal("out_of_order", "model.plan", f"{task.id} comes before its dependency")
        seen.add(task.id)
    added = (ev.TaskAdded(task=task) for task in c.tasks)
    return (ev.PlanImported(source=c.source, digest=c.digest, tasks=len(c.tasks)), *added)


def _requeue(on: _On, c: cmd.RequeueTask) -> Answer:
    task = on.view.task(c.task)
    if task is None:
        return Refusal("no_task", "model.task", f"there is no task {c.task}")
    if task.state not in (TaskState.BLOCKED, TaskState.FAILED_TERMINAL):
        return Refusal(
            "not_ended", "model.task", f"{c.task} is {task.state}, not failed or blocked"
        )
    return (ev.TaskRequeued(task=c.task),)


def _lease(on: _On, c: cmd.Lease) -> Answer:
    task = on.view.task(c.task)
    live = len(on.view.live())
    limit = min(c.max_workers, MAX_WORKERS)
    if on.team.mode is not TeamMode.RUNNING:
        return Refusal("team_not_running", "model.mode", f"the team is {on.team.mode}")
    if task is None:
        return Refusal("no_task", "model.task", f"there is no task {c.task}")
    if task.state is not TaskState.QUEUED:
        return Refusal("not_queued", "model.lease", f"{c.task} is {task.state}")
    if task.waiting_for:
        return Refusal("waiting", "model.lease", f"{c.task} waits for {task.waiting_for} tasks")
    if live >= limit:
        return Refusal("no_capacity", "model.max_workers", f"{live} of {limit} workers are live")
    if on.view.execution(c.execution) is not None:
        return Refusal("execution_exists", "model.lease", f"{c.execution} was used before")
    if c.expires_ms <= on.now_ms:
        return Refusal("expired", "model.lease", "the lease would be over before it begins")
    if c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    return (
        ev.ExecutionLeased(
            execution=c.execution,
            task=c.task,
            epoch=task.epoch + 1,
            attempt=task.attempts + 1,
            base=c.base,
            provider=c.provider,
            role=c.role,
            workspace=c.workspace,
            holder=c.holder,
            expires_ms=c.expires_ms,
            decision=c.decision,
        ),
    )


def _record_preserved(on: _On, c: cmd.RecordPreserved) -> Answer:
    execution = on.view.execution(c.execution)
    if execution is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {c.execution}")
    if execution.preserved == c.ref and execution.work == c.commit:
        return ()
    return (ev.WorkPreserved(execution=c.execution, ref=c.ref, commit=c.commit),)


def _outcome(view: StateView, command: OutcomeCommand) -> Answer:
    execution = view.execution(command.execution)
    task = view.task(execution.task) if execution else None
    if execution is None or task is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {command.execution}")
    current = task.epoch if task.execution == execution.id else max(task.epoch, execution.epoch + 1)
    if command.epoch != current or execution.state not in LIVE_STATES:
        refused = ev.OutcomeRefused(
            execution=execution.id,
            quoted=command.epoch,
            current=task.epoch,
            command=type(command).__name__,
        )
        return (refused,)
    if isinstance(command, cmd.FailExecution):
        return _fail(execution, task, command)
    return _OUTCOME_RULES[type(command)](execution, command)


def _renew(x: Execution, c: cmd.RenewLease) -> Answer:
    if c.expires_ms <= x.expires_ms:
        return ()
    return (ev.LeaseRenewed(execution=x.id, epoch=x.epoch, expires_ms=c.expires_ms),)


def _take(x: Execution, c: cmd.TakeLease) -> Answer:
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
    )
    return (started,)


def _exit(x: Execution, c: cmd.RecordExit) -> Answer:
    if x.state is not TaskState.EXECUTING or x.exit:
        return _wrong_state(x, "executing")
    return (ev.ExecutionExited(execution=x.id, epoch=x.epoch, code=c.code, cause=c.cause),)


def _harvest(x: Execution, c: cmd.RecordHarvest) -> Answer:
    if x.state is not TaskState.EXECUTING or not x.exit:
        return _wrong_state(x, "executing and exited")
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
    green = {v.gate for v in x.verdicts if v.status == "pass" and v.tree == c.landing.tree}
    missing = [gate for gate in c.required if gate not in green]
    if missing:
        detail = f"no pass on tree {c.landing.tree[:12]} from: {', '.join(missing)}"
        return Refusal("missing_verdict", c.decision.rule, detail)
    if c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    intended = ev.LandingIntended(
        execution=x.id, epoch=x.epoch, landing=c.landing, decision=c.decision
    )
    return (intended,)


def _abandon(x: Execution, c: cmd.AbandonLanding) -> Answer:
    if x.landing is None or x.state is not TaskState.INTEGRATING:
        return _wrong_state(x, "integrating")
    return (ev.LandingAbandoned(execution=x.id, epoch=x.epoch, reason=c.reason),)


def _confirm(x: Execution, c: cmd.ConfirmLanding) -> Answer:
    if x.landing is None or x.state is not TaskState.INTEGRATING:
        return _wrong_state(x, "integrating")
    done = ev.LandingDone(
        execution=x.id,
        epoch=x.epoch,
        target=x.landing.target,
        commit=x.landing.new,
        evidence=x.landing.evidence,
        found=c.found,
        decision=c.decision,
    )
    return (done,)


def _fail(x: Execution, task: Task, c: cmd.FailExecution) -> Answer:
    if x.state is TaskState.INTEGRATING:
        return _wrong_state(x, "not integrating (abandon the landing first)")
    uncharged = sum(task.retries.values()) - task.charged
    if c.block or (not c.charged and uncharged >= MAX_UNCHARGED):
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
    )
    return (failed,)


def _wrong_state(execution: Execution, wanted: str) -> Refusal:
    detail = f"execution {execution.id} is {execution.state}, not {wanted}"
    return Refusal("wrong_state", "model.states", detail)


_RULES: dict[type, Callable[[_On, Any], Answer]] = {
    cmd.AdoptPolicy: _adopt_policy,
    cmd.SetMode: _set_mode,
    cmd.ImportPlan: _import_plan,
    cmd.RequeueTask: _requeue,
    cmd.Lease: _lease,
    cmd.RecordPreserved: _record_preserved,
}

_OUTCOME_RULES: dict[type, Callable[[Execution, Any], Answer]] = {
    cmd.RenewLease: _renew,
    cmd.TakeLease: _take,
    cmd.RecordStart: _start,
    cmd.RecordExit: _exit,
    cmd.RecordHarvest: _harvest,
    cmd.RecordVerdicts: _verdicts,
    cmd.IntendLanding: _intend,
    cmd.AbandonLanding: _abandon,
    cmd.ConfirmLanding: _confirm,
}
