"""Work that came after its lease: kept first, then judged as a new attempt's, or not at all."""

from __future__ import annotations

from gitcto.model.commands import RecordHarvest
from gitcto.model.lease_commands import AdoptWork
from gitcto.model.lease_rules import FENCED
from gitcto.model.records import Execution
from gitcto.policy.decisions import Attempt, decide_adoption
from gitcto.runtime.core import failures
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.messages import Work, WorkerFinished
from gitcto.runtime.core.outside_record import record_of


def take_late(book: Book, message: WorkerFinished) -> Execution | None:
    """Keep the work of a worker that lost its lease; return as whose it is judged now, or None.

    Killed anywhere in between, the next run does the same again.
    """
    x, work = book.state.executions[message.turn.execution.id], message.work
    changed = record_of(book.world.policy, x, message.outside)
    if changed is not None:
        book.record(changed)
    if work is None or not work.changed:
        return None
    kept = book.world.rooms.preserve(x, work)
    refused = RecordHarvest(
        execution=x.id, epoch=x.epoch, commit=work.commit, tree=work.tree, changed=work.changed
    )
    if kept is not None:
        book.record(kept)
    if not x.preserved:
        book.record(refused)  # alone: with what came too late nothing else is recorded
    if x.reason not in FENCED:
        return None
    book.world.effects.crash_point("late.kept")
    return _adopt(book, x, work, message)


def _adopt(book: Book, x: Execution, work: Work, message: WorkerFinished) -> Execution | None:
    world, task = book.world, book.state.tasks[x.task]
    execution = world.effects.new_id()
    failure = failures.of_worker(message)
    attempt = Attempt(
        actor=world.holder,
        team=world.team,
        task=task.spec,
        execution=execution,
        epoch=task.epoch + 1,
    )
    refusal = book.record(
        AdoptWork(
            source=x.id,
            execution=execution,
            commit=work.commit,
            tree=work.tree,
            changed=work.changed,
            holder=world.holder,
            expires_ms=world.effects.now_ms() + world.policy.lease_s * 1000,
            nonce=world.effects.new_id(),
            decision=decide_adoption(world.policy, attempt, source=x.id, commit=work.commit),
            unfinished=f"{failure.reason}: {failure.detail}" if failure is not None else "",
        )
    )
    if refusal is not None:
        book.listener.note(f"{x.task}: {refusal.detail}")
    adopted = book.state.executions.get(execution)
    if adopted is not None:
        world.effects.crash_point("late.adopted")
        world.rooms.move_in(adopted)
    return adopted
