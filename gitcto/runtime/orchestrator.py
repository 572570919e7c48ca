"""The loop: what jobs report becomes commands, what is recorded becomes the next jobs.

Only this loop writes the ledger, from one thread. It decides nothing that ``model.decide`` and
policy do not decide, and remembers nothing that the next run could not find out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitcto.model.commands import BlockTask, Lease, RecordExit, RecordHarvest, SingleCommand
from gitcto.model.mail_rules import INTERRUPTED
from gitcto.model.records import (
    LIVE_STATES,
    WORKING_STATES,
    Decision,
    Execution,
    Task,
    TeamMode,
)
from gitcto.model.schedule import choose
from gitcto.model.standstill import standstill
from gitcto.policy.decisions import Attempt, decide_dispatch
from gitcto.runtime import failures
from gitcto.runtime.book import Book
from gitcto.runtime.ending import Ending
from gitcto.runtime.failures import Failure
from gitcto.runtime.late import take_late
from gitcto.runtime.leases import Leases
from gitcto.runtime.mail import PostOffice
from gitcto.runtime.merge_queue import MergeQueue
from gitcto.runtime.messages import (
    LettersHanded,
    Message,
    NotStarted,
    RoomRemoved,
    Work,
    WorkerFinished,
    WorkerStarted,
)
from gitcto.runtime.others import give_up_lapsed, is_own
from gitcto.runtime.outside_record import record_of
from gitcto.runtime.queue_messages import Admitted, Moved, QueueMessage, RunOver, Written
from gitcto.runtime.selecting import worker_for
from gitcto.runtime.starting import starting

LOOK_S = 0.2
"""How often the loop looks for what other commands recorded when no job reports (seconds)."""


class Orchestrator:
    """Runs one team until nothing is left to do, it is told to end, or ``interrupted`` says so."""

    def __init__(self, book: Book, interrupted: Callable[[], bool]) -> None:
        self.book = book
        self.jobs = book.world.jobs
        self.ending = Ending(book, self.jobs)
        self.queue = MergeQueue(book, self.jobs, self.ending)
        self.mail = PostOffice(book, self.jobs)
        self._interrupted = interrupted
        self.leases = Leases(book)
        self._attempts: set[str] = set()
        self._short = ""

    def run(self) -> None:
        """Work until the end. What was begun before is expected to be recovered already."""
        while not self._interrupted() and self.turn():
            message = self.jobs.next(LOOK_S)
            while message is not None:
                self.hear(message)
                message = self.jobs.next(0)

    def turn(self) -> bool:
        """Do all that can be done now; tell whether there may be more to do later."""
        self.book.catch_up()
        self.leases.keep()
        give_up_lapsed(self.book)
        self._step()
        self.mail.step(self._attempts)
        if self._finished():
            for line in (*standstill(self.book.state.tasks), *self.queue.explain()):
                self.book.listener.note(line)
            return False
        return True

    def _step(self) -> None:
        mode = self.book.mode
        if mode is TeamMode.STOPPED:
            self.leases.stop(self._attempts)
            self.queue.halt()
            return
        self.leases.interrupt(self.mail.urgent() & self._attempts)
        self.leases.stop(self.leases.unwanted(self._attempts))
        if mode is TeamMode.RUNNING:
            self._dispatch()
        self.queue.step()

    def continue_attempt(self, execution: Execution) -> None:
        """Wait for a worker that another orchestrator started, also for one that lost its lease."""
        self.book.state.put((execution,))
        self._attempts.add(execution.id)
        task = self.book.state.tasks[execution.task]
        removing = frozenset(self.ending.removing)
        job = self.book.world.rooms.adopt(task, execution, removing)
        self.jobs.start(f"attempt {execution.id}", job)

    def _dispatch(self) -> None:
        world, state = self.book.world, self.book.state
        now = world.effects.now_ms()
        late = {state.executions[each].task for each in self._attempts}
        ready = [task for name, task in state.ready.items() if name not in late]
        chosen = choose(ready, self._working(), now, world.max_workers)
        if chosen and self._has_space():
            for task in chosen:
                self._start(task, now)

    def _has_space(self) -> bool:
        """Tell whether the disk allows another room; say so once when it does not."""
        before, self._short = self._short, self.book.world.rooms.shortage()
        if self._short and not before:
            self.book.listener.note(
                f"nothing new is started: {self._short}; `git cto clean` shows what may go"
            )
        return not self._short

    def _start(self, task: Task, now_ms: int) -> None:
        book, world, spec = self.book, self.book.world, task.spec
        execution_id = world.effects.new_id()
        decision = self._decide(task, execution_id)
        news = self.mail.news(task, execution_id)
        told = world.rooms.brief(task, execution_id, decision, news.entries)
        if isinstance(told, Decision):
            book.record(BlockTask(task=spec.id, reason="denied", decision=told))
            return
        if told.damaged:
            book.listener.note(told.damaged)
        base = book.tip()
        if not (provider := worker_for(book, task, execution_id, base)):
            return
        refusal = book.record(
            Lease(
                task=spec.id,
                execution=execution_id,
                base=base,
                provider=provider,
                role=spec.role,
                workspace=world.policy.roles[spec.role].workspace,
                holder=world.holder,
                expires_ms=now_ms + world.policy.lease_s * 1000,
                max_workers=world.max_workers,
                decision=decision,
                nonce=world.effects.new_id(),
            ),
            told.command,
            *news.deliveries,
            attachments=told.attachments,
        )
        if refusal is not None:
            return
        world.effects.crash_point("attempt.leased")
        self._attempts.add(execution_id)
        leased, execution = book.state.tasks[spec.id], book.state.executions[execution_id]
        briefing = told.briefing.along(news.letters)
        job = world.rooms.begin(leased, execution, briefing, self._idle())
        self.jobs.start(f"attempt {execution_id}", job)

    def _idle(self) -> tuple[str, ...]:
        """Return the executions whose rooms nobody works in and nobody clears away."""
        live = {execution.id for execution in self.book.state.live()}
        return self.book.world.rooms.idle(frozenset(live | self.ending.removing))

    def _working(self) -> list[Execution]:
        return [x for x in self.book.state.live() if x.state in WORKING_STATES]

    def _decide(self, task: Task, execution_id: str) -> Decision:
        world = self.book.world
        attempt = Attempt(
            actor=world.holder,
            team=world.team,
            task=task.spec,
            execution=execution_id,
            epoch=task.epoch + 1,
        )
        return decide_dispatch(
            world.policy,
            attempt,
            charged=task.charged,
            live=len(self._working()),
            isolation=world.level,
        )

    def _finished(self) -> bool:
        if self._attempts or self.queue.busy or self.ending.removing:
            return False
        mode = self.book.mode
        if mode is TeamMode.STOPPED:
            return True
        if {execution.id for execution in self._awaited(mode)} - self.queue.held:
            return False
        seats = len(self._working()) < self.book.world.max_workers
        if mode is TeamMode.RUNNING and self.book.state.ready and seats:
            # What ended meanwhile may have made space.
            return bool(self._short and self.book.world.rooms.shortage(again=True))
        return True

    def _awaited(self, mode: TeamMode) -> Iterator[Execution]:
        """Yield what is under way and whose end may make more to do here."""
        for execution in self.book.state.live():
            if mode is TeamMode.RUNNING or is_own(self.book.world, execution):
                yield execution

    def hear(self, message: Message | QueueMessage) -> None:
        """Record what a job found out; what follows from it is done at the next turn."""
        match message:
            case Admitted() | RunOver() | Written() | Moved():
                self.queue.handle(message)
            case RoomRemoved():
                self.ending.removed(message)
            case WorkerStarted():
                self.book.record(*starting(self.book.state, message.execution, message.started))
            case LettersHanded():
                self.mail.handed(message)
            case NotStarted():
                self._attempts.discard(message.execution.id)
                self.ending.fail(message.execution, failures.of_start(message), message.work)
            case WorkerFinished():
                self._ended(message)

    def _ended(self, message: WorkerFinished) -> None:
        self.book.distrust()
        x = self._known(message.execution)
        self._attempts.discard(x.id)
        self.mail.collect(x)
        if x.state not in LIVE_STATES:
            self._late(x, message)
            return
        exited = RecordExit(
            execution=x.id, epoch=x.epoch, code=message.exit.code, cause=message.exit.cause
        )
        ended: tuple[SingleCommand, ...] = () if x.exit else (exited,)
        failure = self.mail.interruption(x) or failures.of_stop(x) or failures.of_worker(message)
        work = message.work
        changed = record_of(self.book.world.policy, x, message.outside)
        if changed is not None:
            ended = (*ended, changed)
            if changed.blocking:
                failure = failures.of_outside(x.task, changed.changes)
        told = self.book.world.rooms.said(self.book.state.tasks[x.task], x, message.report.summary)
        if told and not self.book.record(*ended, told.command, attachments=told.attachments):
            ended = ()
        if failure is not None or work is None:
            failure = failure or Failure(reason="internal", detail="nothing was harvested")
            if ended:  # first, so that it is in the evidence
                self.book.record(*ended)
            self.ending.fail(self.book.state.executions[x.id], failure, work)
        else:
            self._harvested(message, work, *ended)
        self.book.world.rooms.forget_outside(x)

    def _known(self, execution: Execution) -> Execution:
        """Return an execution as it stands; a state that was rebuilt has only those that live."""
        state = self.book.state
        if execution.id not in state.executions:
            state.put(filter(None, (self.book.world.ledger.view().execution(execution.id),)))
        return state.executions[execution.id]

    def _late(self, x: Execution, message: WorkerFinished) -> None:
        """Keep what a worker did that had lost its lease; judge it when nothing newer exists."""
        adopted = take_late(self.book, message)
        if message.work is not None:
            self.ending.settle(x)
        if adopted is not None:
            self.queue.enqueue(adopted)
            return
        why = self.book.state.executions[x.id].late or x.detail
        self.book.listener.note(f"{x.task}: came too late: {why}")

    def _harvested(self, message: WorkerFinished, work: Work, *ended: SingleCommand) -> None:
        x = self._known(message.execution)
        taken = RecordHarvest(
            execution=x.id, epoch=x.epoch, commit=work.commit, tree=work.tree, changed=work.changed
        )
        refusal = self.book.record(*ended, taken)
        now = self.book.state.executions[x.id]
        if refusal is None and now.work == work.commit:
            self.queue.enqueue(now)
        elif refusal is not None and refusal.code == INTERRUPTED:
            self.book.catch_up()
            failure = self.mail.interruption(x) or Failure(reason=INTERRUPTED, detail="by mail")
            self.ending.fail(self._known(x), failure, work, before=ended)
        elif refusal is not None and now.state in LIVE_STATES:
            self.book.listener.note(f"{x.task}: {refusal.detail}")
        else:  # fenced: the ledger took nothing of it
            self.book.catch_up()
            self._late(self._known(x), message)
