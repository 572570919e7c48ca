"""Getting there: L1, L2 and L3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitcto.model.codec import Event
from gitcto.model.events import ExecutionFailed, ExecutionLeased
from gitcto.model.outcomes import MAX_UNCHARGED
from gitcto.model.records import TeamMode
from gitcto.testing.invariants.leases import At, Check, Found
from gitcto.testing.invariants.records import Bounds
from gitcto.testing.invariants.seen import Seen

_RUNS = ("execution.", "lease.", "landing.", "gate.", "queue.opened", "queue.run_")
"""What the kinds of events begin with that only a team's run records."""


class Leases:
    """Watches for leases that are over and that nobody sees to while somebody runs the team."""

    def __init__(self) -> None:
        self._next_ms = 0
        self._noticed: dict[str, tuple[int, int]] = {}

    def see(self, seen: Seen, event: Event, bounds: Bounds) -> Iterator[Found]:
        """Check an event's time against the leases as they were before it."""
        if isinstance(event.body, ExecutionLeased):
            self._next_ms = min(self._next_ms, event.body.expires_ms)
        if event.ts < self._next_ms or not event.kind.startswith(_RUNS):
            return
        due = []
        for name in seen.live:
            expires_ms = seen.executions[name].expires_ms
            if expires_ms >= event.ts:
                due.append(expires_ms)
                continue
            since = self._noticed.get(name, (0, 0))
            if since[0] != expires_ms:
                self._noticed[name] = since = (expires_ms, event.ts)
            late = event.ts - since[1]
            if late > bounds.lease_ms:
                self._noticed[name] = (expires_ms, event.ts)
                yield "L2", f"the lease of {name} was over for {late} ms of a run"
            due.append(event.ts)
        self._next_ms = min(due, default=event.ts)


def of_failure(at: At, e: ExecutionFailed) -> Iterator[Found]:
    """Check that a person is asked before a task fails without end by no fault of its own."""
    x = at.seen.executions.get(e.execution)
    task = at.seen.tasks.get(x.task) if x is not None else None
    if task is not None and not e.charged and task.unlucky > MAX_UNCHARGED:
        yield "L3", f"{e.execution}: its task failed {task.unlucky} times, always by others' fault"


def at_rest(seen: Seen) -> Iterator[Found]:
    """Check that nothing that could go on stands still; what waits for a person may."""
    if seen.mode is not TeamMode.RUNNING or seen.circuits:
        return  # what waits for a provider that rests is right to wait
    for name in seen.live:
        x = seen.executions[name]
        waits = x.asked and (x.denied or len(x.approved) < x.needed)
        if not waits and not (seen.queue_paused and x.stage == "harvested"):
            yield "L1", f"{name} of {x.task} is {x.stage} and does not go on"
    for task_id, task in seen.tasks.items():
        free = all(seen.tasks[n].ended == "done" for n in task.needs if n in seen.tasks)
        if not task.ended and task.execution not in seen.live and free:
            yield "L1", f"{task_id} could start and does not"


def of_faults(seen: Seen, faults: int, bounds: Bounds) -> Iterator[Found]:
    """Check that no more attempts were lost than the faults may have cost."""
    most = faults * bounds.wasted_per_fault
    if seen.wasted > most:
        yield "L3", f"{seen.wasted} attempts were lost to {faults} faults"


CHECKS: Mapping[type, tuple[Check, ...]] = {ExecutionFailed: (of_failure,)}
"""What is checked of each kind of event, before it is taken in."""
