"""Why nothing more can be done though not everything is done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitcto.model.records import Task, TaskState

_SHOWN = 3
_STUCK = frozenset({TaskState.BLOCKED, TaskState.FAILED_TERMINAL})


def standstill(tasks: Mapping[str, Task]) -> Iterator[str]:
    """Yield a line for each task that needs a person and that others wait for, in plan order."""
    waiting: dict[str, list[str]] = {}
    ordered = sorted(tasks.values(), key=lambda task: task.order)
    for task in ordered:
        if task.state is TaskState.QUEUED and task.waiting_for:
            for name in sorted(_causes(tasks, task)):
                waiting.setdefault(name, []).append(task.spec.id)
    for task in ordered:
        behind = waiting.get(task.spec.id)
        if behind:
            more = f" and {len(behind) - _SHOWN} more" if len(behind) > _SHOWN else ""
            verb = "waits" if len(behind) == 1 else "wait"
            names = f"{', '.join(behind[:_SHOWN])}{more}"
            why = f"{task.spec.id}, which is {task.state} ({task.reason})"
            yield f"{names} {verb} for {why}: `git cto retry {task.spec.id}`"


def _causes(tasks: Mapping[str, Task], task: Task) -> set[str]:
    """Return the tasks that need a person and that one depends on, directly or not."""
    found: set[str] = set()
    seen: set[str] = set()
    ahead = list(task.spec.depends_on)
    while ahead:
        name = ahead.pop()
        needed = tasks.get(name)
        if needed is None or name in seen:
            continue
        seen.add(name)
        if needed.state in _STUCK:
            found.add(name)
        ahead += needed.spec.depends_on
    return found
