"""How records read to a person: states, ages, times, and what to do about what went wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitcto.cli.output import visible
from gitcto.model.records import LIVE_STATES, TaskState

if TYPE_CHECKING:
    from gitcto.model.records import Execution, Task, Team

NEEDS_A_PERSON = frozenset({TaskState.BLOCKED, TaskState.FAILED_TERMINAL})
"""States that nothing but a person's command ends."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


_OF_PROVIDERS = ("not_eligible", "provider_unavailable")
"""Why a task is blocked that nobody may do: `provider why` says what a person can do about it."""


def age(since_ms: int, now_ms: int) -> str:
    """Return how long ago something was, in its largest unit (``12s``, ``3h``)."""
    seconds = max(now_ms - since_ms, 0) // 1000
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def moment(ms: int) -> str:
    """Return a time of a ledger in UTC: the same on every machine that shows it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def state(task: Task) -> str:
    """Return a task's state, and how many tasks it waits for."""
    if task.state is TaskState.QUEUED and task.waiting_for:
        return f"waits for {task.waiting_for}"
    return "ready" if task.state is TaskState.QUEUED else task.state.value


def since(task: Task, execution: Execution | None, now_ms: int) -> str:
    """Return for how long a live task has been worked on, or a ready one has waited."""
    if task.state in LIVE_STATES and execution is not None:
        return age(execution.leased_ms, now_ms)
    if task.state is TaskState.QUEUED and not task.waiting_for:
        return age(task.queued_ms, now_ms)
    return "-"


def counts(team: Team) -> str:
    """Return how many tasks are in which state, in the order of a task's life."""
    known = [(each.value, team.counts.get(each, 0)) for each in TaskState]
    total = sum(number for _, number in known)
    parts = ", ".join(f"{number} {name}" for name, number in known if number)
    return f"{total} {'task' if total == 1 else 'tasks'}: {parts}" if total else "no tasks"


def why(record: Task | Execution) -> str:
    """Return the reason that was recorded for a failure, and its details."""
    return ": ".join(part for part in (record.reason, record.detail) if part) or "not recorded"


def outside(execution: Execution) -> str:
    """Return what changed outside an attempt's room while it ran, or nothing."""
    if not execution.outside:
        return ""
    first, *rest = execution.outside
    more = f" (and {len(rest)} more)" if rest else ""
    what = "not landed for it" if execution.outside_blocks else "not held against it"
    return f"SECURITY: while attempt {execution.attempt} ran, {first}{more}; {what}"


def trouble(task: Task, execution: Execution | None) -> list[str]:
    """Return what is wrong with a task, where its work is kept and how to go on."""
    lines = [f"{task.spec.id} is {task.state.value}: {visible(why(task))}"]
    if execution is not None and execution.preserved:
        lines.append(f"  its work is kept at {visible(execution.preserved)}")
    look = "provider why" if task.reason in _OF_PROVIDERS else "show"
    name = task.spec.id
    lines.append(f"  look with `git cto {look} {name}`, go on with `git cto retry {name}`")
    return lines
