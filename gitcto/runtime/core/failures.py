"""Why an attempt failed, and what that means for its task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gitcto.model.agent_records import Fault, FaultKind
from gitcto.model.circuit_records import TERMINAL
from gitcto.model.records import Decision, Execution, Verdict
from gitcto.model.step_records import Step
from gitcto.model.step_rules import UNAPPROVED
from gitcto.policy.budget_rule import reason_code
from gitcto.runtime.core.messages import NotStarted, Work, WorkerFinished
from gitcto.runtime.core.seats import last_in
from gitcto.strategies.records import GiveUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A stable ``reason`` code and one line of ``detail``.

    ``charged`` failures are the task's own and count against its attempts; ``block`` means that
    trying again would not help, so a person must look. ``kind`` is what it is as a step's fault,
    unless that step's provider said more (``fault``); ``final`` ends the whole attempt with it.
    """

    reason: str
    detail: str
    charged: bool = True
    block: bool = False
    kind: FaultKind = "internal"
    said: Fault | None = None
    final: bool = False

    @property
    def fault(self) -> Fault:
        """The failure as the fault of the step that failed."""
        return self.said or Fault(kind=self.kind, detail=self.detail, retryable=not self.block)


_PROVIDERS_OWN = TERMINAL | {"rate", "model"}
UNENDED = Failure(
    reason="interrupted", detail="the run ended while it was ending this attempt", charged=False
)
"""Of an attempt that was over, of which nobody recorded why."""

_CAUSES = {
    "wall": "the worker ran longer than limits.wall_s",
    "idle": "the worker showed no sign of life for limits.idle_s",
    "output": "the worker said more than can be kept (limits.output_mib, limits.file_mib)",
    "memory": "the worker's processes used more memory than limits.memory_mib",
    "processes": "the worker had more processes than limits.processes",
    "disk": "the worker had more on disk than limits.disk_mib",
}


def of_start(message: NotStarted) -> Failure:
    """Return the failure of a worker that could not be started: not the task's fault."""
    return Failure(reason=message.reason, detail=message.detail, charged=False, block=True)


def of_worker(message: WorkerFinished) -> Failure | None:
    """Return why a finished worker's attempt failed, or None when its work may be judged.

    An exit code of 0 alone proves nothing and a claim of success nothing at all; here only what
    the process and the provider admit themselves is looked at.
    """
    cause, code = message.exit.cause, message.exit.code
    if cause == "stopped":
        detail = "a person stopped the team"
        return Failure(reason="stopped", detail=detail, charged=False, kind="killed", final=True)
    if cause == "lost":
        detail = "the worker's supervisor was killed"
        return Failure(reason="worker_lost", detail=detail, charged=False, kind="killed")
    if cause == "helper":
        detail = f"what the worker needs beside its sandbox failed: {message.exit.detail}"
        return Failure(reason="helper", detail=detail, charged=False)
    if cause in _CAUSES:
        kind: FaultKind = "timeout" if cause in {"wall", "idle"} else "killed"
        return Failure(reason=f"limit_{cause}", detail=_CAUSES[cause], kind=kind)
    if message.work is None:
        return Failure(
            reason=message.refusal,
            detail=message.refusal_detail,
            charged=message.refusal not in {"no_workspace", "lfs_missing"},
            block=message.refusal == "lfs_missing",  # the next attempt would end the same way
            kind="refused",
        )
    report = message.report
    if report.fault is not None:
        detail = report.fault.detail or report.summary or f"exit code {code}"
        block = not report.fault.retryable
        return Failure(
            reason=f"worker_{report.fault.kind}", detail=detail, block=block, said=report.fault
        )
    if code != 0:
        detail = f"the worker ended with code {code}"
        return Failure(reason="worker_exit", detail=detail, kind="tool")
    return _of_tree(message, message.work)


def _of_tree(message: WorkerFinished, work: Work) -> Failure | None:
    """Return the failure of a worker whose words and code say success, and its files do not."""
    step = message.turn.step
    if message.altered:
        detail = f"it was to read only, and changed {message.altered}"
        return Failure(reason="worker_refused", detail=detail, kind="refused")
    if not step.edits:
        return None
    if not work.changed:
        detail = "the worker ended well and changed nothing"
        return Failure(reason="worker_empty", detail=detail, kind="empty")
    before = last_in(message.turn.execution, step.seat, before=step.number)
    if step.told and before is not None and before.tree == work.tree:
        detail = "the worker ended well and changed nothing of what was found wrong"
        return Failure(reason="worker_empty", detail=detail, kind="empty")
    return None


def of_move(move: GiveUp, steps: Sequence[Step], last: Failure | None) -> Failure:
    """Return the failure of an attempt that its strategy gives up.

    ``last`` is why its last step failed, if it did; one step needs no account of the way.
    """
    ended = steps[move.step - 1] if move.step else None
    if last is not None and (ended is None or ended is steps[-1]):
        failure = last
    elif ended is not None and ended.fault is not None:
        fault = ended.fault
        failure = Failure(
            reason=f"worker_{fault.kind}",
            detail=move.detail,
            block=not fault.retryable,
            said=fault if fault.kind in _PROVIDERS_OWN else None,
        )
    else:
        failure = Failure(reason=move.reason, detail=move.detail, block=not move.retryable)
    told = f"{failure.detail}; {move.path}" if len(steps) > 1 and move.path else failure.detail
    return replace(failure, detail=told)


def of_approval(detail: str) -> Failure:
    """Return the failure of work that is not what was approved."""
    return Failure(reason=UNAPPROVED, detail=detail)


def of_budget(over: Decision) -> Failure:
    """Return the failure of an attempt that a budget ends: a person raises it and tries again."""
    return Failure(reason=reason_code(over), detail=over.reason, charged=False, block=True)


def of_stop(execution: Execution) -> Failure | None:
    """Return the failure of an attempt that a person or a budget ends, or None."""
    if execution.over is not None:
        return of_budget(execution.over)
    if not execution.stop:
        return None
    detail = f"a person stopped it: {execution.stop}"
    return Failure(reason="stopped", detail=detail, charged=False, block=True)


def of_evidence(detail: str) -> Failure:
    """Return the failure of work that nothing proves: no evidence, stale or foreign evidence."""
    return Failure(reason="evidence", detail=detail, charged=False, block=True)


def of_outside(task: str, changes: tuple[str, ...]) -> Failure:
    """Return the failure of work that may not land, because of what changed around its worker."""
    more = f" (and {len(changes) - 1} more)" if len(changes) > 1 else ""
    detail = (
        f"while its worker ran, {changes[0]}{more}; every worker of that time is held for it: look "
        f"at it, and if it was you, `git cto retry {task}`"
    )
    return Failure(reason="outside_changed", detail=detail, charged=False, block=True, final=True)


def of_verdicts(verdicts: Iterable[Verdict]) -> Failure | None:
    """Return why a change may not land that gates have judged, or None: the first that said no."""
    return next((of_verdict(verdict) for verdict in verdicts if verdict.status != "pass"), None)


def no_gates(tier: str) -> Failure:
    """Return the failure of work that no gate would judge."""
    detail = f"tier {tier} has no gates, so nothing of it may land"
    return Failure(reason="no_gates", detail=detail, charged=False, block=True)


def of_verdict(verdict: Verdict) -> Failure:
    """Return the failure that a verdict other than a pass is: a fail is the change's, no other."""
    reason = f"{verdict.gate}:{verdict.reason}"
    if verdict.status == "fail":
        return Failure(reason=reason, detail=verdict.detail or "the gate said no")
    detail = verdict.detail or "the gate could not judge"
    return Failure(reason=reason, detail=detail, charged=False, block=True)


def of_ejection(reason: str) -> Failure:
    """Return the failure of a change that a person took out of the queue."""
    return Failure(reason="ejected", detail=reason, charged=False, block=True)
