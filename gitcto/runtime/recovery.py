"""Before a run begins: compare what the ledger intends with what the world shows, record the truth.

Nothing here repairs by hand what a person would have to know about; it is the same code path a
first start takes when there is nothing to recover.
"""

from __future__ import annotations

from gitcto.model.commands import TakeLease
from gitcto.model.records import Execution, Landing, TaskState
from gitcto.runtime.book import Book
from gitcto.runtime.failures import Failure
from gitcto.runtime.landing import (
    abandonments,
    carry_out,
    confirmations,
    give_up,
    group_of,
    push,
)
from gitcto.runtime.orchestrator import Orchestrator, start_of
from gitcto.runtime.others import is_own
from gitcto.runtime.outside_record import record_of


def recover(orchestrator: Orchestrator) -> None:
    """Clear away what ended executions left, and continue every live one of a former run here."""
    book = orchestrator.book
    book.world.rooms.end_strays()
    _settle_leftovers(orchestrator)
    own = (x for x in book.state.live() if is_own(book.world, x))
    live = sorted(own, key=lambda x: (x.leased_ms, x.id))
    for execution in live:
        _take_over(orchestrator, execution)
    for landing in {x.landing.new: x.landing for x in live if x.landing}.values():
        _continue_landing(orchestrator, landing)
    for execution in live:
        _continue(orchestrator, book.state.executions[execution.id])


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
    rooms = orchestrator.book.world.rooms
    seen = rooms.observe(execution.id)
    if seen.alive and seen.started is None:
        seen = rooms.end(execution.id)
    if seen.started is not None:
        orchestrator.book.record(start_of(execution, seen.started))
        orchestrator.continue_attempt(execution)
        return
    failure = Failure(
        reason="interrupted", detail="the run ended before the worker started", charged=False
    )
    task = orchestrator.book.state.tasks[execution.task]
    orchestrator.ending.fail(execution, failure, rooms.take_up_unseen(task, execution))


def _continue_landing(orchestrator: Orchestrator, landing: Landing) -> None:
    """Ask the target whether it moved: the intents are recorded, the outcomes are not."""
    book, ending = orchestrator.book, orchestrator.ending
    group = group_of(book, landing)
    found = {x.id: book.world.target.landed_as(x, landing) for x in group}
    if any(commit not in {"", landing.new} for commit in found.values()):
        for x in group:
            give_up(ending, x, f"somebody rewrote {landing.new[:12]} at the target")
        return
    if all(found.values()):
        moved, how = push(book.world, landing), "recovered"
    else:
        book.world.target.refuse_checked_out(landing.target)
        moved, how = carry_out(book.world, landing), "moved"
    if not moved.moved:
        book.record(*abandonments(group, "target_moved"))
        return
    refusal = book.record(*confirmations(book, group, moved, found=how))
    for x in group:
        if refusal is None:
            ending.settle(x)
        else:
            give_up(ending, x, refusal.detail)


def _settle_leftovers(orchestrator: Orchestrator) -> None:
    """Clear up after executions that ended when their orchestrator could not do so any more."""
    world = orchestrator.book.world
    live = {execution.id for execution in orchestrator.book.state.live()}
    view = world.ledger.view()
    for execution_id in world.rooms.leftovers():
        if execution_id in live:
            continue
        execution = view.execution(execution_id)
        if execution is not None:
            _settle_leftover(orchestrator, execution)


def _settle_leftover(orchestrator: Orchestrator, execution: Execution) -> None:
    """Keep the work of an ended execution if that was not done yet, then clear its room away."""
    book, rooms = orchestrator.book, orchestrator.book.world.rooms
    task = book.state.tasks[execution.task]
    rooms.end(execution.id)  # nothing is taken up beside a living worker
    _compare_late(book, execution)
    if execution.state is not TaskState.DONE and not execution.preserved:
        kept = rooms.preserve(execution, rooms.take_up(task, execution))
        if kept is not None:
            book.record(kept)
    problem = rooms.unreachable_work(task, execution)
    if problem:
        book.listener.note(f"{execution.task}: kept {execution.id}: {problem}")
        return
    orchestrator.ending.settle(execution)


def _compare_late(book: Book, execution: Execution) -> None:
    """Compare what is outside an ended execution's room, if nobody did since its worker ended."""
    if not execution.pid:
        return
    outside = book.world.rooms.changed_outside(execution)
    if outside is None:
        return
    changed = record_of(book.world.policy, execution, outside)
    if changed is not None:
        book.record(changed)
    book.world.rooms.forget_outside(execution)
