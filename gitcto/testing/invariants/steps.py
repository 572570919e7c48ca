"""The steps of executions: S14 and S15."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitcto.model import events as ev
from gitcto.model.step_events import StepEnded, StepStarted
from gitcto.testing.invariants.leases import At, Check, Found
from gitcto.testing.invariants.seen import WORKING, Seen


def take_step(seen: Seen, e: StepStarted | StepEnded) -> None:
    """Remember what a step does to its execution."""
    x = seen.executions.get(e.execution)
    if x is None:
        return
    if isinstance(e, StepStarted):
        x.steps = e.number
        x.seats[e.number] = e.seat
    else:
        x.seats.pop(e.number, None)
        x.said |= {e.verdict} - {""}


def of_start(at: At, e: StepStarted) -> Iterator[Found]:
    """Check a step that begins: its number, its seat, and a place among the workers."""
    x = at.seen.executions.get(e.execution)
    if x is None or x.stage not in WORKING - {"exited"}:
        yield "S2", f"step {e.number} of {e.execution} starts, which is {x and x.stage}"
        return
    if e.number != x.steps + 1:
        yield "S15", f"{e.execution} takes step {e.number} after {x.steps}"
    if e.seat in x.seats.values():
        yield "S15", f"{e.execution} has two steps in seat {e.seat}"
    beside = at.seen.workers(but=e.execution) + len(x.seats)
    if beside >= at.bounds.max_workers:
        yield "S14", f"step {e.number} of {e.execution} is beside {beside} workers"


def of_end(at: At, e: StepEnded) -> Iterator[Found]:
    """Check a step that ends: it must have run."""
    x = at.seen.executions.get(e.execution)
    if x is None or e.number not in x.seats:
        yield "S15", f"step {e.number} of {e.execution} ends and does not run"


def of_last(at: At, e: Any) -> Iterator[Found]:
    """Check that no step runs when an execution's workers have ended, or its work is taken up."""
    x = at.seen.executions.get(e.execution)
    if x is not None and x.seats:
        yield "S15", f"{at.event.kind} of {e.execution}, of which step {min(x.seats)} runs"
    if x is not None and isinstance(e, ev.WorkHarvested) and x.said and "approve" not in x.said:
        yield "S15", f"{e.execution} is taken up, and nobody approved of it"


CHECKS: Mapping[type, tuple[Check, ...]] = {
    StepStarted: (of_start,),
    StepEnded: (of_end,),
    ev.ExecutionExited: (of_last,),
    ev.WorkHarvested: (of_last,),
}
"""What is checked of each kind of event, before it is taken in."""
