"""Which ready tasks start next: priority bands with ageing, fair over roles. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from gitcto.model.records import MAX_WORKERS, Execution, Task
from gitcto.model.step_rules import workers

AGEING_MS = 10 * 60 * 1000
"""A waiting task rises by one priority band each time this passes (milliseconds)."""

_BANDS: Mapping[str, int] = {"urgent": 0, "high": 1, "normal": 2, "low": 3}


def band(task: Task, now_ms: int) -> int:
    """Return the task's band with ageing: 0 goes first, and old tasks go below 0."""
    waited = now_ms - task.queued_ms
    aged = waited // AGEING_MS if waited > 0 else 0
    return _BANDS[task.spec.priority] - aged


def choose(
    ready: Collection[Task], live: Collection[Execution], now_ms: int, max_workers: int
) -> list[Task]:
    """Return the tasks to start now, best first, never more than there are free workers.

    A task that waits after a provider's fault is none of them before its time.
    The lowest band goes first; in a band, the role with the fewest live workers; then the task
    that has waited longest, by its place in the ledger.
    """
    free = min(max_workers, MAX_WORKERS) - workers(live) if ready else 0
    if free <= 0:
        return []
    busy = Counter(execution.role for execution in live)
    queues = _best_by_role(ready, now_ms, free)
    chosen: list[Task] = []
    while len(chosen) < free and queues:
        role = min(queues, key=lambda r: (queues[r][-1][0], busy[r], queues[r][-1][1]))
        chosen.append(queues[role].pop()[2])
        busy[role] += 1
        if not queues[role]:
            del queues[role]
    return chosen


def _best_by_role(
    ready: Iterable[Task], now_ms: int, free: int
) -> dict[str, list[tuple[int, int, Task]]]:
    """Return each role's best ``free`` tasks, best last.

    No two tasks share a place in the queue, so comparing entries never reaches the task itself.
    """
    waiting: dict[str, list[tuple[int, int, Task]]] = {}
    for task in ready:
        if now_ms < task.not_before_ms:
            continue
        waiting.setdefault(task.spec.role, []).append((band(task, now_ms), task.queued_seq, task))
    return {role: heapq.nsmallest(free, waiting[role])[::-1] for role in sorted(waiting)}
