"""What of a team waits in the merge queue, put together from its ledger and its policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitcto.errors import CtoError, ExitCode
from gitcto.model.body import Body
from gitcto.model.queue_events import QueueEnqueued, QueuePaused, QueueResumed
from gitcto.model.records import TaskState
from gitcto.policy.gates import required_gates
from gitcto.queue import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitcto.cli.app import App
    from gitcto.model.records import Execution, Task, TaskSpec
    from gitcto.policy.records import Policy
    from gitcto.queue.explain import Judgement, Log, Situation
    from gitcto.store.reader import LedgerReader

ASKS_TO_LAND = frozenset({TaskState.VALIDATING, TaskState.INTEGRATING})
"""States of an execution whose work was harvested and has not landed yet."""

SHORT = 12
"""Letters of an object id that a table shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One change that asks to land; ``position`` is 0 when it has no place in the queue yet.

    ``missing`` are the gates that must still pass, and approval; ``last`` is the newest run about
    it; ``estimate_ms`` is None when nothing is known.
    """

    task: Task
    execution: Execution
    position: int
    waits_for: str
    missing: tuple[str, ...]
    last: Judgement | None
    estimate_ms: int | None

    @property
    def said(self) -> str:
        """What was said of it last: by a run of the queue, or by one gate."""
        if self.last is not None:
            failed = len(self.last.tests)
            tests = f", {failed} {'test' if failed == 1 else 'tests'}" if failed else ""
            return f"run {self.last.run.number} {self.last.verdict}{tests}"
        if self.execution.verdicts:
            newest = self.execution.verdicts[-1]
            return f"{newest.gate} {newest.status}"
        return ""

    @property
    def evidence(self) -> str:
        """What proves that: a bundle, the log of a gate, or else the tree that was judged."""
        logs = [verdict.log for verdict in self.execution.verdicts if verdict.log]
        tree = self.last.tree if self.last else ""
        return self.execution.evidence or (logs[-1] if logs else tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """A team's queue at one moment."""

    situation: Situation
    waiting: tuple[Waiting, ...]


def look(app: App, reader: LedgerReader, policy: Policy) -> QueueView:
    """Return what waits, first what goes first; what has no place yet comes last."""
    view = reader.view()
    asking = [x for x in view.live() if x.state in ASKS_TO_LAND]
    at = situation_of(reader, [x.id for x in asking], policy.queue_capacity, app.effects.now_ms())
    rows = [_row(at, policy, task, x) for x in asking if (task := view.task(x.task)) is not None]
    rows.sort(key=lambda row: (row.position == 0, row.position, row.execution.place))
    return QueueView(situation=at, waiting=tuple(rows))


def situation_of(
    reader: LedgerReader, live: Iterable[str], capacity: int, now_ms: int
) -> Situation:
    """Return the queue as the ledger has it. Raises ``CtoError`` when that contradicts itself."""
    log = log_of(reader)
    try:
        return explain.situation(log, specs_of(reader, log), frozenset(live), capacity, now_ms)
    except (KeyError, ValueError) as error:
        raise CtoError(
            f"the events of the merge queue contradict each other: {error}",
            "`git cto log` shows them; the next `git cto run` begins with a new queue",
            ExitCode.GIT,
        ) from error


def log_of(reader: LedgerReader, before: int | None = None) -> Log:
    """Return the events of the queue that was opened last, or last below number ``before``.

    Each clone that runs a team has a queue of its own, in the same ledger.
    """
    stored = reader.queue_log() if before is None else reader.queue_log(before)
    found = []
    for each in stored:
        body = each.event.body
        own = each.event.actor == stored[0].event.actor
        if isinstance(body, Body) and (own or isinstance(body, QueuePaused | QueueResumed)):
            found.append((each.event.ts, body))
    return found


def specs_of(reader: LedgerReader, log: Log) -> Mapping[str, TaskSpec]:
    """Return the tasks of all executions that a log enqueues."""
    view, found = reader.view(), {}
    for _, body in log:
        if isinstance(body, QueueEnqueued):
            execution = view.execution(body.execution)
            task = view.task(execution.task) if execution else None
            if task is not None:
                found[body.execution] = task.spec
    return found


def _row(at: Situation, policy: Policy, task: Task, x: Execution) -> Waiting:
    position = at.position(x.id)
    return Waiting(
        task=task,
        execution=x,
        position=position,
        waits_for=_person(x) or (explain.waits_for(at, x.id) if position else "its place in line"),
        missing=missing(at, policy, task, x),
        last=at.last(x.id),
        estimate_ms=explain.estimate_ms(at, x.id) if position else None,
    )


def _person(x: Execution) -> str:
    """Return what is settled about a change whatever the scheduler thinks."""
    if x.state is TaskState.INTEGRATING:
        return "its landing: the target is being moved"
    if x.ejection:
        return f"its ejection: {x.ejection}"
    if x.approval == "requested":
        return f"approval: {len(x.approved_by)} of {x.approvals_needed} given"
    return "its end: approval was denied" if x.approval == "denied" else ""


def missing(at: Situation, policy: Policy, task: Task, x: Execution) -> tuple[str, ...]:
    """Return the gates of a tier that have not passed what would land, and missing approval.

    Gates that judge changes were passed before a change is enqueued; those that judge trees pass
    with the green run whose tree could land now.
    """
    green = at.green_trees(x.id)
    passed = {
        verdict.gate
        for verdict in x.verdicts
        if verdict.status == "pass"
        and (verdict.change == x.change if verdict.change else verdict.tree in green)
    }
    required = () if at.is_green(x.id) else required_gates(policy, task.spec.tier)
    gates = [gate for gate in required if gate not in passed]
    return (*gates, *(["approval"] if x.approval in {"requested", "denied"} else []))


def plain(row: Waiting) -> dict[str, Any]:
    """Return one change as plain values."""
    last = row.last
    return {
        "position": row.position,
        "task": row.task.spec.id,
        "execution": row.execution.id,
        "tier": row.task.spec.tier,
        "priority": row.task.spec.priority,
        "state": row.execution.state.value,
        "waits_for": row.waits_for,
        "missing": list(row.missing),
        "last": plain_run(last) if last else None,
        "said": row.said,
        "evidence": row.evidence,
        "estimate_ms": row.estimate_ms,
    }


def plain_run(one: Judgement) -> dict[str, Any]:
    """Return a run as plain values."""
    return {
        "number": one.run.number,
        "kind": one.run.kind.value,
        "verdict": one.verdict,
        "onto": one.onto,
        "tree": one.tree,
        "executed": one.executed,
        "failed": list(one.failed),
        "reason": one.reason,
    }
