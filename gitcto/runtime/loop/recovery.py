"""Before a run begins: compare what the ledger intends with what the world shows, record the truth.

Nothing here repairs by hand what a person would have to know about; it is the same code path a
first start takes when there is nothing to recover.
"""

from __future__ import annotations

from gitcto.model.amending import amended
from gitcto.model.commands import TakeLease
from gitcto.model.records import Execution, Landing, TaskState
from gitcto.model.recovery_plan import Seen, Step, fate
from gitcto.model.step_rules import running
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.failures import Failure, of_stop
from gitcto.runtime.core.outside_record import record_of
from gitcto.runtime.core.seats import Turn, all_runs, last_in, run_of, seat_of, seated, unrecorded
from gitcto.runtime.loop.orchestrator import Orchestrator
from gitcto.runtime.loop.others import is_own
from gitcto.runtime.loop.starting import starting
from gitcto.runtime.loop.survey import recovery_plan
from gitcto.runtime.queue.landing import (
    abandonments,
    carry_out,
    confirmations,
    give_up,
    group_of,
    push,
)


def recover(orchestrator: Orchestrator) -> tuple[Step, ...]:
    """Carry out the plan of recovery, and return it: one step for each execution left behind.

    See :func:`gitcto.model.recovery_plan.plan`, which ``git cto resume`` shows too.
    """
    book = orchestrator.book
    book.world.rooms.end_strays()
    own = [x for x in book.state.live() if is_own(book.world, x)]
    for execution in own:
        if execution.adopted:
            book.world.rooms.move_in(execution)
    steps = recovery_plan(book.world, book.state)
    for step in steps:
        book.listener.note(f"recovery: {step.task or step.execution}: {step.why}")
    for step in steps:
        if step.action in _ON_ENDED:
            _end_of(orchestrator, step)
    for execution in sorted(own, key=lambda x: (x.leased_ms, x.id)):
        _take_over(orchestrator, execution)
    for step in steps:
        _carry_on(orchestrator, step)
    for line in book.world.settle_effects(book.state.tasks.values()):
        book.listener.note(line)
    return steps


_ON_ENDED = frozenset({"settle", "await_late"})
_LANDINGS = frozenset({"move", "confirm", "rewritten"})
_ON_LIVE = frozenset({"readopt", "take_up", "reclaim", "retry", "judge"})
"""What others hold is left to the loop, and what nobody knows to a person."""


def _carry_on(orchestrator: Orchestrator, step: Step) -> None:
    execution = orchestrator.book.state.executions.get(step.execution)
    if execution is None:
        return
    if step.action in _LANDINGS and execution.state is TaskState.INTEGRATING:
        _continue_landing(orchestrator, execution.landing)
    elif step.action in _ON_LIVE:
        _continue(orchestrator, execution)


def _end_of(orchestrator: Orchestrator, step: Step) -> None:
    execution = orchestrator.book.world.ledger.view().execution(step.execution)
    if execution is None:
        return
    if step.action == "await_late":
        orchestrator.continue_attempt(execution)
    else:
        _settle_leftover(orchestrator, execution)


def _take_over(orchestrator: Orchestrator, execution: Execution) -> None:
    world = orchestrator.book.world
    orchestrator.book.record(
        TakeLease(
            execution=execution.id,
            epoch=execution.epoch,
            holder=world.holder,
            expires_ms=world.effects.now_ms() + world.policy.lease_s * 1000,
        )
    )


def _continue(orchestrator: Orchestrator, execution: Execution) -> None:
    match execution.state:
        case TaskState.DISPATCHING:
            _continue_dispatching(orchestrator, execution)
        case TaskState.EXECUTING:
            orchestrator.continue_attempt(execution)
        case TaskState.VALIDATING:
            orchestrator.queue.enqueue(execution)
        case _:
            pass


def _continue_dispatching(orchestrator: Orchestrator, execution: Execution) -> None:
    """Ask the process records whether a leased execution was started."""
    book, rooms = orchestrator.book, orchestrator.book.world.rooms
    for step in running(execution):
        run = run_of(execution.id, step)
        seen = rooms.observe(run)
        if seen.alive and seen.started is None:
            seen = rooms.end(run)
        if seen.started is not None:
            book.record(*starting(book.state, execution, step, seen.started))
    now = book.state.executions[execution.id]
    if now.state is TaskState.EXECUTING:
        orchestrator.continue_attempt(now)
        return
    failure = of_stop(execution) or Failure(
        reason="interrupted", detail="the run ended before the worker started", charged=False
    )
    task = book.state.tasks[execution.task]
    first = execution.steps[0] if execution.steps else unrecorded(execution)
    turn = Turn(task=task, execution=execution, step=first)
    orchestrator.ending.fail(execution, failure, rooms.take_up_unseen(turn))


def _continue_landing(orchestrator: Orchestrator, landing: Landing | None) -> None:
    """Ask the target whether it moved: the intents are recorded, the outcomes are not."""
    if landing is None:
        return
    book, ending = orchestrator.book, orchestrator.ending
    group = group_of(book, landing)
    seen = {x.id: Seen(landed=book.world.target.landed_as(x, landing)) for x in group}
    became = fate(landing, group, seen)
    if became == "rewritten":
        for x in group:
            give_up(ending, x, f"somebody rewrote {landing.new[:12]} at the target")
        return
    if became == "confirm":
        moved, how = push(book.world, landing), "recovered"
    else:
        book.world.target.refuse_checked_out(landing.target)
        moved, how = carry_out(book.world, landing), "moved"
    if not moved.moved:
        book.record(*abandonments(group, "target_moved"))
        for x in group:
            orchestrator.queue.enqueue(book.state.executions[x.id])
        return
    refusal = book.record(*confirmations(book, group, moved, found=how))
    for x in group:
        if refusal is None:
            ending.settle(x)
        else:
            give_up(ending, x, refusal.detail)


def _settle_leftover(orchestrator: Orchestrator, execution: Execution) -> None:
    """Keep the work of an ended execution if that was not done yet, then clear its room away."""
    book, rooms = orchestrator.book, orchestrator.book.world.rooms
    task = book.state.tasks[execution.task]
    for run in all_runs(execution):
        rooms.end(run)  # nothing is taken up beside a living worker
    _compare_late(book, execution)
    keep = list(orchestrator.ending.beside(execution, seat_of(execution)))
    if execution.state is not TaskState.DONE and not execution.preserved:
        mine = seated(execution, last_in(execution, seat_of(execution)))
        kept = rooms.preserve(execution, rooms.take_up(task, mine))
        keep += [kept] if kept is not None else []
    for each in keep:
        book.record(each)
    problem = rooms.unreachable_work(task, execution)
    if problem:
        book.listener.note(f"{execution.task}: kept {execution.id}: {problem}")
        return
    orchestrator.ending.settle(execution)


def _compare_late(book: Book, execution: Execution) -> None:
    """Compare what is outside an ended execution's room, if nobody did since a worker ended."""
    if not execution.pid:
        return
    for run in all_runs(execution):
        observed = amended(execution, id=run)
        outside = book.world.rooms.changed_outside(observed)
        if outside is None:
            continue
        changed = record_of(book.world.policy, execution, outside)
        if changed is not None:
            book.record(changed)
        book.world.rooms.forget_outside(observed)
