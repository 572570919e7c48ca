"""Evolving what agents have used, and what a failed attempt means for its task. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from gitcto.model.circuit_records import PASSING, TERMINAL
from gitcto.model.events import ExecutionFailed
from gitcto.model.records import Task, TaskState, Team
from gitcto.model.spending import counted, of_run
from gitcto.model.step_records import Step


def charged(team: Team, task: Task, steps: Iterable[Step]) -> tuple[Team, Task]:
    """Return a team and a task with what steps used that have just ended."""
    used, spent = team.used, task.spent
    for step in steps:
        run = of_run(step.usage, step.started_ms, step.ended_ms)
        used = counted(used, step.provider, step.role, run, step.ended_ms)
        spent += run
    return replace(team, used=used), replace(task, spent=spent)


def after_failure(task: Task, e: ExecutionFailed, seq: int, ts: int) -> dict[str, Any]:
    """Return what a failed attempt changes about its task, besides its state."""
    passing, terminal = e.fault in PASSING, e.fault in TERMINAL
    changes: dict[str, Any] = {
        "reason": e.reason,
        "detail": e.detail,
        "retries": {**task.retries, e.reason: task.retries.get(e.reason, 0) + 1},
        "charged": task.charged + e.charged,
        "faults": task.faults + (passing and not e.charged),
        "unlucky": task.unlucky + (not e.charged and not passing and not terminal),
        "not_before_ms": e.not_before_ms,
    }
    if e.then is TaskState.QUEUED:
        changes |= {"queued_seq": seq, "queued_ms": ts}
    return changes
