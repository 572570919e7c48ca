"""Why an attempt failed, and what that means for its task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitcto.model.records import Execution, Verdict
from gitcto.runtime.messages import NotStarted, WorkerFinished


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A stable ``reason`` code and one line of ``detail``.

    ``charged`` failures are the task's own and count against its attempts; ``block`` means that
    trying again would not help, so a person must look.
    """

    reason: str
    detail: str
    charged: bool = True
    block: bool = False


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
        return Failure(reason="stopped", detail="a person stopped the team", charged=False)
    if cause == "lost":
        detail = "the worker's supervisor was killed"
        return Failure(reason="worker_lost", detail=detail, charged=False)
    if cause == "helper":
        detail = f"what the worker needs beside its sandbox failed: {message.exit.detail}"
        return Failure(reason="helper", detail=detail, charged=False)
    if cause in _CAUSES:
        return Failure(reason=f"limit_{cause}", detail=_CAUSES[cause])
    if message.work is None:
        return Failure(
            reason=message.refusal,
            detail=message.refusal_detail,
            charged=message.refusal not in {"no_workspace", "lfs_missing"},
            block=message.refusal == "lfs_missing",  # the next attempt would end the same way
        )
    report = message.report
    if report.fault is not None:
        detail = report.fault.detail or report.summary or f"exit code {code}"
        block = not report.fault.retryable
        return Failure(reason=f"worker_{report.fault.kind}", detail=detail, block=block)
    if code != 0:
        return Failure(reason="worker_exit", detail=f"the worker ended with code {code}")
    return None


def of_stop(execution: Execution) -> Failure | None:
    """Return the failure of an attempt that a person wants nobody to work on, or None."""
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
    return Failure(reason="outside_changed", detail=detail, charged=False, block=True)


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
