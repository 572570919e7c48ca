"""Before a run begins: compare what the ledger intends with what the world shows, record the truth.

Nothing here repairs by hand what a person would have to know about; it is the same code path a
first start takes when there is nothing to recover.
"""

from __future__ import annotations

from gitcto.git.harvest import HarvestRefused
from gitcto.git.stale_locks import clear_locks
from gitcto.model.commands import TakeLease
from gitcto.model.records import Execution, Landing, TaskState
from gitcto.runtime import workers
from gitcto.runtime.attempt import take_up, work_unseen
from gitcto.runtime.book import Book
from gitcto.runtime.clean import leftovers
from gitcto.runtime.failures import Failure
from gitcto.runtime.gate_trees import clear_gates
from gitcto.runtime.landed import landed_as
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
from gitcto.runtime.outside import compare, forget, record_of, remembered
from gitcto.runtime.preserved import finish_drops
from gitcto.runtime.remains import end_commands
from gitcto.runtime.settle import preserve, unreachable_work
from gitcto.runtime.target import refuse_checked_out


def recover(orchestrator: Orchestrator) -> None:
    """Clear away what ended executions left, and continue every live one of a former run here."""
    context = orchestrator.book.context
    clear_locks(context.repository)
    finish_drops(context.layout, context.refs, context.ledger)
    for place in sorted(context.layout.rooms.glob("*")):
        end_commands(place)
    clear_gates(context)
    _settle_leftovers(orchestrator)
    book = orchestrator.book
    own = (x for x in book.state.live() if is_own(context, x))
    live = sorted(own, key=lambda x: (x.leased_ms, x.id))
    for execution in live:
        _take_over(orchestrator, execution)
    for landing in {x.landing.new: x.landing for x in live if x.landing}.values():
        _continue_landing(orchestrator, landing)
    for execution in live:
        _continue(orchestrator, book.state.executions[execution.id])


def _take_over(orchestrator: Orchestrator, execution: Execution) -> None:
    context = orchestrator.book.context
    orchestrator.book.record(
        TakeLease(
            execution=execution.id,
            epoch=execution.epoch,
            holder=context.holder,
            expires_ms=context.effects.now_ms() + context.policy.lease_s * 1000,
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
    records = orchestrator.book.context.layout.records(execution.id)
    seen = workers.observe(records)
    if seen.alive and seen.started is None:
        workers.request_stop(records)
        workers.wait(records)
        seen = workers.observe(records)
    if seen.started is not None:
        orchestrator.book.record(start_of(execution, seen.started))
        orchestrator.continue_attempt(execution)
        return
    failure = Failure(
        reason="interrupted", detail="the run ended before the worker started", charged=False
    )
    task = orchestrator.book.state.tasks[execution.task]
    context = orchestrator.book.context
    orchestrator.ending.fail(execution, failure, work_unseen(context, task, execution))


def _continue_landing(orchestrator: Orchestrator, landing: Landing) -> None:
    """Ask the target whether it moved: the intents are recorded, the outcomes are not."""
    book, ending = orchestrator.book, orchestrator.ending
    group = group_of(book, landing)
    found = {x.id: landed_as(book.context, x, landing) for x in group}
    if any(commit not in {"", landing.new} for commit in found.values()):
        for x in group:
            give_up(ending, x, f"somebody rewrote {landing.new[:12]} at the target")
        return
    if all(found.values()):
        moved, how = push(book.context, landing), "recovered"
    else:
        refuse_checked_out(book.context.refs, landing.target)
        moved, how = carry_out(book.context, landing), "moved"
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
    context = orchestrator.book.context
    live = {execution.id for execution in orchestrator.book.state.live()}
    view = context.ledger.view()
    for execution_id in leftovers(context):
        if execution_id in live:
            continue
        execution = view.execution(execution_id)
        if execution is not None:
            _settle_leftover(orchestrator, execution)


def _settle_leftover(orchestrator: Orchestrator, execution: Execution) -> None:
    """Keep the work of an ended execution if that was not done yet, then clear its room away."""
    book = orchestrator.book
    _end_worker(book, execution)
    _compare_late(book, execution)
    if execution.state is not TaskState.DONE and not execution.preserved:
        task = book.state.tasks[execution.task]
        try:
            kept = preserve(book.context, execution, take_up(book.context, task, execution))
        except HarvestRefused:
            kept = None
        if kept is not None:
            book.record(kept)
    problem = unreachable_work(book.context, book.state.tasks[execution.task], execution)
    if problem:
        book.listener.note(f"{execution.task}: kept {execution.id}: {problem}")
        return
    orchestrator.ending.settle(execution)


def _end_worker(book: Book, execution: Execution) -> None:
    """End a worker that outlived its execution: nothing is taken up beside a living one.

    The same goes for what is left of one whose supervisor died before it recorded the end.
    """
    records = book.context.layout.records(execution.id)
    seen = workers.observe(records)
    if seen.alive:
        workers.request_stop(records)
    if seen.exit is None:
        workers.wait(records)


def _compare_late(book: Book, execution: Execution) -> None:
    """Compare what is outside an ended execution's room, if nobody did since its worker ended."""
    before = remembered(book.context, execution)
    if before is None or not execution.pid:
        return
    changed = record_of(book.context, execution, compare(book.context, execution, before))
    if changed is not None:
        book.record(changed)
    forget(book.context, execution)
