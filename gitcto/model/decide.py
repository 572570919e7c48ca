"""``decide``: a command on a state at a time gives events, or a refusal. Pure.

A refusal is a value with a stable code and the rule that said no; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from gitcto.model import commands as cmd
from gitcto.model import events as ev
from gitcto.model.circuit_commands import CircuitCommand
from gitcto.model.circuit_rules import decide_circuit
from gitcto.model.codec import Event
from gitcto.model.commands import Command, OutcomeCommand, Refusal
from gitcto.model.draft_rules import DRAFT_COMMANDS, decide_draft
from gitcto.model.effect_rules import EFFECT_COMMANDS, decide_effect
from gitcto.model.evolve import evolve
from gitcto.model.ids import is_team_name
from gitcto.model.lease_commands import ExpireLease, LeaseCommand
from gitcto.model.lease_rules import decide_lease, expire
from gitcto.model.mail_commands import MailCommand, MailOutcome
from gitcto.model.mail_rules import decide_mail, decide_mail_outcome, interruption
from gitcto.model.outcomes import decide_outcome
from gitcto.model.outside_events import OutsideChanged
from gitcto.model.overlay import Overlay
from gitcto.model.plan import validate
from gitcto.model.provider_rules import PROVIDER_COMMANDS, decide_provider
from gitcto.model.queue_commands import QueueCommand
from gitcto.model.queue_rules import decide_queue
from gitcto.model.records import (
    LIVE_STATES,
    MAX_WORKERS,
    TaskState,
    Team,
    TeamMode,
)
from gitcto.model.step_commands import StepOutcome
from gitcto.model.step_rules import decide_step, workers
from gitcto.model.view import StateView

Answer = tuple[ev.EventBody, ...] | Refusal

_OUTCOMES = get_args(OutcomeCommand)
_OF_THE_QUEUE = get_args(QueueCommand)
_OF_LEASES = get_args(LeaseCommand)
_OF_MAIL = get_args(MailCommand)
_MAIL_OUTCOMES = get_args(MailOutcome)
_OF_STEPS = get_args(StepOutcome)
_OF_CIRCUITS = get_args(CircuitCommand)


class _On(NamedTuple):
    view: StateView
    team: Team
    now_ms: int


def decide(view: StateView, command: Command, now_ms: int) -> Answer:
    """Return the events that ``command`` leads to, or why it is refused.

    An outcome that quotes an old fencing token leads to one ``outcome.refused`` event: it is
    remembered and changes nothing.
    """
    if isinstance(command, cmd.Together):
        return _together(view, command, now_ms)
    team = view.team
    if isinstance(command, cmd.CreateTeam):
        return _create_team(team, command)
    if team is None:
        return Refusal("no_team", "model.team", "this team does not exist")
    if isinstance(command, _OUTCOMES):
        return _outcome(view, command, now_ms)
    if isinstance(command, _OF_THE_QUEUE):
        return decide_queue(view, team, command, now_ms)
    if isinstance(command, _OF_LEASES):
        return decide_lease(view, command, now_ms)
    if isinstance(command, EFFECT_COMMANDS):
        return decide_effect(view, command, now_ms)
    if isinstance(command, PROVIDER_COMMANDS):
        return decide_provider(team, command)
    if isinstance(command, _OF_MAIL):
        return decide_mail(view, command)
    return _RULES[type(command)](_On(view, team, now_ms), command)


def _together(view: StateView, together: cmd.Together, now_ms: int) -> Answer:
    """Decide all of them or none: with one that quotes an old token only that is remembered."""
    overlay = Overlay(view)
    bodies: list[ev.EventBody] = []
    for command in together.commands:
        answer = decide(overlay, command, now_ms)
        if isinstance(answer, Refusal):
            return answer
        for body in answer:
            event = Event(id="", ts=now_ms, actor="", prev="", v=body.VERSION, body=body)
            overlay.put(evolve(overlay, event, 0))
        bodies += answer
    fenced = tuple(body for body in bodies if isinstance(body, ev.OutcomeRefused))
    return fenced or tuple(bodies)


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


def _block(on: _On, c: cmd.BlockTask) -> Answer:
    task = on.view.task(c.task)
    if task is None:
        return Refusal("no_task", "model.task", f"there is no task {c.task}")
    if task.state is not TaskState.QUEUED:
        return Refusal("not_queued", "model.task", f"{c.task} is {task.state}")
    return (ev.TaskBlocked(task=c.task, reason=c.reason, decision=c.decision),)


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
    live, limit = workers(on.view.live()), min(c.max_workers, MAX_WORKERS)
    if on.team.mode is not TeamMode.RUNNING:
        return Refusal("team_not_running", "model.mode", f"the team is {on.team.mode}")
    if task is None:
        return Refusal("no_task", "model.task", f"there is no task {c.task}")
    if task.state is not TaskState.QUEUED:
        holder = next((f", held by {x.holder}" for x in on.view.live() if x.task == c.task), "")
        return Refusal("not_queued", "model.lease", f"{c.task} is {task.state}{holder}")
    if on.now_ms < task.not_before_ms:
        return Refusal("backing_off", "model.backoff", f"{c.task} waits after a provider's fault")
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
            nonce=c.nonce,
            strategy=c.strategy,
            strategy_file=c.strategy_file,
        ),
    )


def _record_outside(on: _On, c: cmd.RecordOutside) -> Answer:
    execution = on.view.execution(c.execution)
    if execution is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {c.execution}")
    known = set(c.changes) <= set(execution.outside)
    if not c.changes or (known and (execution.outside_blocks or not c.blocking)):
        return ()
    changed = OutsideChanged(execution=c.execution, changes=c.changes, blocking=c.blocking)
    return (changed,)


def _record_preserved(on: _On, c: cmd.RecordPreserved) -> Answer:
    execution = on.view.execution(c.execution)
    if execution is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {c.execution}")
    known = execution.preserved == c.ref and execution.work == c.commit
    if known or execution.beside.get(c.ref) == c.commit:
        return ()
    return (ev.WorkPreserved(execution=c.execution, ref=c.ref, commit=c.commit, seat=c.seat),)


def _discard(on: _On, c: cmd.DiscardWork) -> Answer:
    execution = on.view.execution(c.execution)
    if execution is None:
        return Refusal("no_execution", "model.lease", f"there is no execution {c.execution}")
    if execution.state in LIVE_STATES:
        return Refusal("not_ended", "model.discard", f"{c.execution} is {execution.state}")
    if execution.discarded.get(c.ref) == c.commit:
        return ()
    discarded = ev.WorkDiscarded(execution=c.execution, ref=c.ref, commit=c.commit, reason=c.reason)
    return (discarded,)


def _outcome(view: StateView, command: OutcomeCommand, now_ms: int) -> Answer:
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
    if isinstance(command, ExpireLease):
        return expire(execution, task, command)
    if isinstance(command, _OF_STEPS):
        return decide_step(view, execution, command, now_ms)
    if isinstance(command, _MAIL_OUTCOMES):
        return decide_mail_outcome(view, execution, command)
    interrupted = interruption(view, execution) if isinstance(command, cmd.RecordHarvest) else None
    if interrupted is not None:
        return interrupted
    return decide_outcome(execution, task, command)


_RULES: dict[type, Callable[[_On, Any], Answer]] = {
    **dict.fromkeys(DRAFT_COMMANDS, lambda on, c: decide_draft(on.view, on.team, c, on.now_ms)),
    **dict.fromkeys(_OF_CIRCUITS, lambda on, c: decide_circuit(on.team, c, on.now_ms)),
    cmd.AdoptPolicy: _adopt_policy,
    cmd.SetMode: _set_mode,
    cmd.ImportPlan: _import_plan,
    cmd.BlockTask: _block,
    cmd.RequeueTask: _requeue,
    cmd.Lease: _lease,
    cmd.RecordOutside: _record_outside,
    cmd.RecordPreserved: _record_preserved,
    cmd.DiscardWork: _discard,
}
