"""What becomes of an attempt when a step of it has ended: its strategy says, and that is recorded.

Decide, record, act: the end of a step and the start of the next are one transaction, and so are the
end of the last step and that of the execution's workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gitcto.model.amending import amended
from gitcto.model.commands import RecordExit, RecordHarvest, SingleCommand
from gitcto.model.mail_rules import INTERRUPTED
from gitcto.model.records import LIVE_STATES, Execution, TaskState
from gitcto.model.step_commands import EndStep
from gitcto.model.step_records import MAIN_SEAT, Step
from gitcto.model.step_rules import UNAPPROVED, ended, running
from gitcto.runtime.core import failures
from gitcto.runtime.core.answers import said_by
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.ending import Ending
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.messages import NO_WORK, NotStarted, Work, WorkerFinished
from gitcto.runtime.core.outside_record import record_of
from gitcto.runtime.core.seats import Turn, last_in, seated, unrecorded
from gitcto.runtime.loop.late import take_late
from gitcto.runtime.loop.mail import PostOffice
from gitcto.runtime.loop.ordering import Ordering
from gitcto.runtime.queue.merge_queue import MergeQueue
from gitcto.runtime.worker.worker_values import Exit
from gitcto.strategies.records import Finish, GiveUp, Start

_UNSEEN = Exit(code=0, cause="exited")


class After(NamedTuple):
    """An execution as it stands once ``commands`` are recorded, and what is known of its end.

    ``failure`` is why its last step is no success; ``work`` what that step left, None when its room
    must stay as it is. Nothing of the kind is known (``seen``) of a step that ended unheard.
    """

    execution: Execution
    commands: tuple[SingleCommand, ...] = ()
    exit: Exit = _UNSEEN
    failure: Failure | None = None
    work: Work | None = NO_WORK
    seen: bool = True
    message: WorkerFinished | None = None


class StepEnds:
    """Takes attempts on from where a step of them ended. Used by the loop's thread only."""

    def __init__(
        self, book: Book, ending: Ending, queue: MergeQueue, mail: PostOffice, ordering: Ordering
    ) -> None:
        self._book = book
        self._ending = ending
        self._queue = queue
        self._mail = mail
        self._ordering = ordering

    def not_started(self, message: NotStarted) -> None:
        """Record that a step could not be started, and do what its strategy says."""
        x, turn = self._known(message.turn.execution), message.turn
        self._ordering.back(turn)
        failure = failures.of_start(message)
        if x.state not in LIVE_STATES or not self._runs(x, turn.step.number):
            self._ending.fail(x, failure, message.work)
            return
        end = EndStep(execution=x.id, epoch=x.epoch, number=turn.step.number, fault=failure.fault)
        self._on(After(ended(x, end, 0), (end,), failure=failure, work=message.work))

    def finished(self, message: WorkerFinished) -> None:
        """Record that a step's worker has ended, and do what its strategy says."""
        self._book.distrust()
        x, turn = self._known(message.turn.execution), message.turn
        others = self._ordering.back(turn)
        self._mail.collect(x, turn.seated.id)
        if x.state not in LIVE_STATES:
            self._late(x, message, others=others)
            return
        failure = failures.of_worker(message)
        changed = record_of(self._book.world.policy, x, message.outside)
        commands: tuple[SingleCommand, ...] = ()
        if self._runs(x, turn.step.number):
            end = self._end(x, message, failure)
            x, commands = ended(x, end, 0), (end,)
        if changed is not None:
            commands = (*commands, changed)
            if changed.blocking:
                failure = failures.of_outside(x.task, changed.changes)
        after = After(x, commands, message.exit, failure, message.work, message=message)
        self._on(after, message.report.summary if turn.step.edits else "")
        self._book.world.rooms.forget_outside(turn.observed)

    def proceed(self, x: Execution) -> None:
        """Take an attempt on of which no step runs that this run does not wait for."""
        self._on(After(x, seen=False))

    def _known(self, execution: Execution) -> Execution:
        """Return an execution as it stands; a state that was rebuilt has only those that live."""
        state = self._book.state
        if execution.id not in state.executions:
            found = self._book.world.ledger.view().execution(execution.id)
            state.put(filter(None, (found,)))
        return state.executions[execution.id]

    def _runs(self, x: Execution, number: int) -> bool:
        return any(step.number == number for step in running(x))

    def _end(self, x: Execution, m: WorkerFinished, failure: Failure | None) -> EndStep:
        step, work = m.turn.step, m.work or NO_WORK
        end = EndStep(
            execution=x.id,
            epoch=x.epoch,
            number=step.number,
            fault=failure.fault if failure else None,
            session=m.report.session,
            usage=m.report.usage,
        )
        strategy, words = self._ordering.strategy_of(x), m.report.message or m.report.summary
        if failure is None and (not step.edits or strategy.takes_notes_of(step.name)):
            read = {s: self._ordering.change_id(x, commit) for s, commit in step.reads.items()}
            said = said_by(step, words, read)
            end = amended(
                end,
                findings=said.findings,
                verdict=said.verdict,
                change=said.change,
                chosen=said.chosen,
            )
        if step.edits:
            judged = work.commit and len(strategy.steps) > 1
            change = self._ordering.change_id(x, work.commit) if judged else ""
            left = {"commit": work.commit, "tree": work.tree, "changed": work.changed}
            end = amended(end, change=change, **left)
        return end

    def _on(self, after: After, summary: str = "") -> None:
        """Record what is, and go on as the strategy says."""
        x = after.execution
        fatal = self._fatal(after)
        if running(x):
            self._said(after, summary)
            if fatal is None:
                self._beside(self._book.state.executions[x.id])
            return
        move = None if fatal else self._ordering.next_move(x)
        over = self._ordering.purse.over(x) if isinstance(move, Start) else None
        if isinstance(move, Start) and (over is not None or x.exit):
            move, fatal = None, failures.of_budget(over) if over else failures.UNENDED
        if isinstance(move, Start):
            after, attachments = self._with_words(after, summary)
            self._ordering.carry_out(x, move.orders, after.commands, attachments)
            return
        if isinstance(move, Finish) and self._goes_on(after, move, summary):
            return
        after = self._said(after._replace(commands=(*after.commands, *self._exit(after))), summary)
        if isinstance(move, Finish):
            self._finish(after, move)
        elif isinstance(move, GiveUp):
            self._fail(after, failures.of_move(move, x.steps, after.failure))
        elif fatal is not None:
            self._fail(after, fatal)

    def _fatal(self, after: After) -> Failure | None:
        """Return why an attempt is over whatever its strategy says, or None."""
        x = after.execution
        fatal = self._mail.interruption(x) or failures.of_stop(x)
        if fatal is None and after.failure is not None and after.failure.final:
            return after.failure
        if fatal is None and x.outside_blocks:
            return failures.of_outside(x.task, x.outside)
        return fatal

    def _beside(self, x: Execution) -> None:
        """Start what is due beside the steps that run."""
        move = self._ordering.next_move(x)
        if isinstance(move, Start) and move.orders:
            self._ordering.carry_out(x, move.orders)

    def _with_words(self, after: After, summary: str) -> tuple[After, Mapping[str, str] | None]:
        """Add what a worker said at its end to what is recorded, if it said anything."""
        book, x = self._book, after.execution
        told = book.world.rooms.said(book.state.tasks[x.task], x, summary) if summary else None
        if told is None:
            return after, None
        return after._replace(commands=(*after.commands, told.command)), told.attachments

    def _said(self, after: After, summary: str) -> After:
        """Record all that is, if a worker said anything at its end or others still run."""
        with_words, attachments = self._with_words(after, summary)
        if attachments is None and not running(after.execution):
            return after
        if not with_words.commands or not self._book.record(
            *with_words.commands, attachments=attachments
        ):
            return after._replace(commands=())
        return after

    def _exit(self, after: After) -> tuple[SingleCommand, ...]:
        """Return the command that records the end of an execution's last worker, if need be."""
        x, ended_ = after.execution, after.exit
        if x.exit or x.state is not TaskState.EXECUTING:
            return ()
        return (RecordExit(execution=x.id, epoch=x.epoch, code=ended_.code, cause=ended_.cause),)

    def _goes_on(self, after: After, move: Finish, summary: str) -> bool:
        """Let the writer go on when letters came that it could not be handed while it ran."""
        x, writer = after.execution, last_in(after.execution, move.seat)
        self._book.catch_up()  # a letter may have come since the loop looked
        if writer is None or x.exit or not self._mail.unread(x):
            return False
        after, attachments = self._with_words(after, summary)
        return self._ordering.resume(x, writer, after.commands, attachments)

    def _finish(self, after: After, move: Finish) -> None:
        """Take up what was made in the seat that the strategy names; keep what others made."""
        book, x = self._book, after.execution
        made = last_in(x, move.seat) or unrecorded(x)
        judged = any(step.verdict for step in x.steps)
        taken = RecordHarvest(
            execution=x.id,
            epoch=x.epoch,
            commit=made.commit,
            tree=made.tree,
            changed=made.changed,
            change=self._ordering.change_id(x, made.commit) if judged else "",
        )
        beside = self._ending.beside(x, move.seat)
        refusal = book.record(*after.commands, *beside, taken)
        now = book.state.executions[x.id]
        if len(x.steps) > 1:
            book.listener.note(f"{x.task}: {move.path}")
        if refusal is None and now.work == made.commit:
            self._queue.enqueue(now)
        elif refusal is not None and refusal.code == INTERRUPTED:
            book.catch_up()
            failure = self._mail.interruption(x) or Failure(reason=INTERRUPTED, detail="by mail")
            self._fail(after, failure)
        elif refusal is not None and refusal.code == UNAPPROVED:
            self._fail(after, failures.of_approval(refusal.detail))
        elif refusal is not None and now.state in LIVE_STATES:
            book.listener.note(f"{x.task}: {refusal.detail}")
        else:  # fenced: the ledger took nothing of it
            book.catch_up()
            self._late(self._known(x), after.message, others=False)

    def _fail(self, after: After, failure: Failure) -> None:
        book, x = self._book, after.execution
        before = after.commands
        if before and x.state is TaskState.EXECUTING:  # first, so that it is in the evidence
            book.record(*before)
            before = ()
        book.catch_up()  # until its end was recorded, it could be stopped
        now = self._known(x)
        failure = self._mail.interruption(now) or failures.of_stop(now) or failure
        work, main = after.work, last_in(x, MAIN_SEAT)
        if x.steps and (x.steps[-1] is not main or not after.seen) and work is not None:
            task = book.state.tasks[x.task]
            work = book.world.rooms.take_up(task, seated(x, main)) if main else NO_WORK
        self._ending.fail(now, failure, work, before=before)

    def _late(self, x: Execution, message: WorkerFinished | None, *, others: bool) -> None:
        """Keep what a worker did that had lost its lease; judge it when nothing newer exists."""
        alone = message if len(x.steps) <= 1 else None
        adopted = take_late(self._book, alone) if alone is not None else None
        if alone is None and not others:
            self._kept(x)
        elif alone is not None and alone.work is not None and not others:
            self._ending.settle(x)
        if adopted is not None:
            self._queue.enqueue(adopted)
            return
        why = self._book.state.executions[x.id].late or x.detail
        self._book.listener.note(f"{x.task}: came too late: {why}")

    def _kept(self, x: Execution) -> None:
        """Keep what was made in all seats of an attempt that is over; clear it away."""
        book, main = self._book, last_in(x, MAIN_SEAT)
        kept = self._ending.beside(x, "")
        if kept:
            book.record(*kept)
        if main and _must_stay(book, x, main):
            book.listener.note(f"{x.task}: kept as it is: {book.world.rooms.where(x.id)}")
            return
        self._ending.settle(x)


def _must_stay(book: Book, x: Execution, main: Step) -> bool:
    """Tell whether the main room holds what cannot be taken up; one that is gone holds nothing."""
    turn = Turn(task=book.state.tasks[x.task], execution=x, step=main)
    return book.world.rooms.take_up_unseen(turn) is None
