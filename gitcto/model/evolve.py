"""``evolve``: one event on one state gives the records that change. Pure and total.

It never refuses: what is in the ledger has happened. An event about something unknown changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gitcto.model import events as ev
from gitcto.model.codec import Event, Opaque
from gitcto.model.records import Execution, Record, Task, TaskState, Team

if TYPE_CHECKING:
    from gitcto.model.state import StateView

Records = tuple[Record, ...]


def evolve(view: StateView, event: Event, seq: int) -> Records:
    """Return the records that ``event``, the ledger's number ``seq``, replaces."""
    body = event.body
    if isinstance(body, ev.TeamCreated):
        return (Team(name=body.team, target=body.target, created_ms=event.ts),)
    team = view.team
    if team is None:
        return ()
    if isinstance(body, Opaque):
        return (replace(team, unknown=team.unknown + 1),)
    rule = _RULES.get(type(body))
    return () if rule is None else rule(view, team, body, event.ts, seq)


def _policy_adopted(view: StateView, team: Team, e: ev.PolicyAdopted, ts: int, seq: int) -> Records:
    return (replace(team, policy=e.digest),)


def _mode(view: StateView, team: Team, e: ev.TeamModeChanged, ts: int, seq: int) -> Records:
    return (replace(team, mode=e.mode),)


def _task_added(view: StateView, team: Team, e: ev.TaskAdded, ts: int, seq: int) -> Records:
    needed = (view.task(task_id) for task_id in e.task.depends_on)
    waiting = sum(1 for task in needed if task is None or task.state is not TaskState.DONE)
    task = Task(spec=e.task, order=seq, queued_seq=seq, queued_ms=ts, waiting_for=waiting)
    return (_counted(team, None, task.state), task)


def _requeued(view: StateView, team: Team, e: ev.TaskRequeued, ts: int, seq: int) -> Records:
    task = view.task(e.task)
    if task is None:
        return ()
    return _moved(team, task, TaskState.QUEUED, queued_seq=seq, queued_ms=ts, charged=0)


def _leased(view: StateView, team: Team, e: ev.ExecutionLeased, ts: int, seq: int) -> Records:
    task = view.task(e.task)
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
        leased_ms=ts,
        expires_ms=e.expires_ms,
    )
    changes = {"epoch": e.epoch, "attempts": e.attempt, "execution": e.execution}
    cleared = {"reason": "", "detail": ""}
    return (*_moved(team, task, TaskState.DISPATCHING, **changes, **cleared), execution)


def _renewed(view: StateView, team: Team, e: ev.LeaseRenewed, ts: int, seq: int) -> Records:
    return _on_execution(view, e.execution, expires_ms=e.expires_ms)


def _taken(view: StateView, team: Team, e: ev.LeaseTaken, ts: int, seq: int) -> Records:
    return _on_execution(view, e.execution, holder=e.holder, expires_ms=e.expires_ms)


def _started(view: StateView, team: Team, e: ev.ExecutionStarted, ts: int, seq: int) -> Records:
    return _on_both(
        view,
        team,
        e.execution,
        TaskState.EXECUTING,
        pid=e.pid,
        process_start=e.process_start,
        isolation=e.isolation,
        started_ms=ts,
    )


def _exited(view: StateView, team: Team, e: ev.ExecutionExited, ts: int, seq: int) -> Records:
    return _on_execution(view, e.execution, exit=e.cause, code=e.code, ended_ms=ts)


def _harvested(view: StateView, team: Team, e: ev.WorkHarvested, ts: int, seq: int) -> Records:
    return _on_both(
        view,
        team,
        e.execution,
        TaskState.VALIDATING,
        work=e.commit,
        tree=e.tree,
        changed=e.changed,
    )


def _preserved(view: StateView, team: Team, e: ev.WorkPreserved, ts: int, seq: int) -> Records:
    return _on_execution(view, e.execution, preserved=e.ref, work=e.commit)


def _judged(view: StateView, team: Team, e: ev.GateJudged, ts: int, seq: int) -> Records:
    execution = view.execution(e.execution)
    if execution is None:
        return ()
    others = tuple(v for v in execution.verdicts if v.gate != e.verdict.gate)
    return (replace(execution, verdicts=(*others, e.verdict)),)


def _intended(view: StateView, team: Team, e: ev.LandingIntended, ts: int, seq: int) -> Records:
    return _on_both(view, team, e.execution, TaskState.INTEGRATING, landing=e.landing)


def _abandoned(view: StateView, team: Team, e: ev.LandingAbandoned, ts: int, seq: int) -> Records:
    changes = {"landing": None, "verdicts": ()}
    return _on_both(view, team, e.execution, TaskState.VALIDATING, **changes)


def _landed(view: StateView, team: Team, e: ev.LandingDone, ts: int, seq: int) -> Records:
    execution = view.execution(e.execution)
    task = view.task(execution.task) if execution else None
    if execution is None or task is None:
        return ()
    done = replace(execution, state=TaskState.DONE, evidence=e.evidence)
    moved = _moved(team, task, TaskState.DONE, commit=e.commit, evidence=e.evidence)
    freed = (view.task(name) for name in view.dependents(task.spec.id))
    waiting = (replace(t, waiting_for=t.waiting_for - 1) for t in freed if t is not None)
    return (*moved, done, *waiting)


def _failed(view: StateView, team: Team, e: ev.ExecutionFailed, ts: int, seq: int) -> Records:
    execution = view.execution(e.execution)
    task = view.task(execution.task) if execution else None
    if execution is None or task is None:
        return ()
    ended = replace(
        execution, state=TaskState.FAILED, reason=e.reason, detail=e.detail, evidence=e.evidence
    )
    changes: dict[str, Any] = {"reason": e.reason, "detail": e.detail}
    changes["retries"] = {**task.retries, e.reason: task.retries.get(e.reason, 0) + 1}
    changes["charged"] = task.charged + e.charged
    if e.then is TaskState.QUEUED:
        changes |= {"queued_seq": seq, "queued_ms": ts}
    return (*_moved(team, task, e.then, **changes), ended)


def _counted(team: Team, old: TaskState | None, new: TaskState) -> Team:
    counts = dict(team.counts)
    if old is not None:
        counts[old] -= 1
        if counts[old] == 0:
            del counts[old]
    counts[new] = counts.get(new, 0) + 1
    return replace(team, counts=counts)


def _moved(team: Team, task: Task, to: TaskState, **changes: Any) -> tuple[Record, ...]:
    moved = replace(task, state=to, **changes)
    return (moved,) if to is task.state else (_counted(team, task.state, to), moved)


def _on_execution(view: StateView, execution_id: str, **changes: Any) -> Records:
    execution = view.execution(execution_id)
    return () if execution is None else (replace(execution, **changes),)


def _on_both(
    view: StateView, team: Team, execution_id: str, to: TaskState, **changes: Any
) -> Records:
    execution = view.execution(execution_id)
    task = view.task(execution.task) if execution else None
    if execution is None or task is None:
        return ()
    return (*_moved(team, task, to), replace(execution, state=to, **changes))


_RULES: dict[type, Callable[[StateView, Team, Any, int, int], Records]] = {
    ev.PolicyAdopted: _policy_adopted,
    ev.TeamModeChanged: _mode,
    ev.TaskAdded: _task_added,
    ev.TaskRequeued: _requeued,
    ev.ExecutionLeased: _leased,
    ev.LeaseRenewed: _renewed,
    ev.LeaseTaken: _taken,
    ev.ExecutionStarted: _started,
    ev.ExecutionExited: _exited,
    ev.WorkHarvested: _harvested,
    ev.WorkPreserved: _preserved,
    ev.GateJudged: _judged,
    ev.LandingIntended: _intended,
    ev.LandingAbandoned: _abandoned,
    ev.LandingDone: _landed,
    ev.ExecutionFailed: _failed,
}
