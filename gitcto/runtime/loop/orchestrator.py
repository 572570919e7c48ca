"""The loop: what jobs report becomes commands, what is recorded becomes the next jobs.

Only this loop writes the ledger, from one thread. It decides nothing that ``model.decide`` and
policy do not decide, and remembers nothing that the next run could not find out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitcto.model.records import LIVE_STATES, Execution, TeamMode
from gitcto.model.standstill import standstill
from gitcto.model.step_records import Step
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.ending import Ending
from gitcto.runtime.core.messages import (
    AgentPolled,
    LettersHanded,
    Message,
    NotStarted,
    RoomRemoved,
    WorkerFinished,
    WorkerStarted,
)
from gitcto.runtime.core.queue_messages import Admitted, Moved, QueueMessage, RunOver, Written
from gitcto.runtime.core.seats import run_of, unrecorded
from gitcto.runtime.loop.dispatching import Dispatching
from gitcto.runtime.loop.leases import Leases
from gitcto.runtime.loop.mail import PostOffice
from gitcto.runtime.loop.ordering import Ordering
from gitcto.runtime.loop.others import give_up_lapsed, is_own
from gitcto.runtime.loop.parking import Parking
from gitcto.runtime.loop.purse import Purse
from gitcto.runtime.loop.starting import starting
from gitcto.runtime.loop.step_ends import StepEnds
from gitcto.runtime.queue.merge_queue import MergeQueue

LOOK_S = 0.2
"""How often the loop looks for what other commands recorded when no job reports (seconds)."""


class Orchestrator:
    """Runs one team until nothing is left to do, it is told to end, or ``interrupted`` says so."""

    def __init__(
        self, book: Book, interrupted: Callable[[], bool], *, patient: bool = False
    ) -> None:
        self.book = book
        self.jobs = book.world.jobs
        self.ending = Ending(book, self.jobs)
        self.queue = MergeQueue(book, self.jobs, self.ending)
        self.mail = PostOffice(book, self.jobs)
        self._interrupted = interrupted
        self.leases = Leases(book)
        self.purse = Purse(book, self.jobs)
        self.ordering = Ordering(book, self.jobs, self.mail, self.purse, self._idle)
        self.step_ends = StepEnds(book, self.ending, self.queue, self.mail, self.ordering)
        self.parking = Parking(book, patient=patient)
        self._dispatching = Dispatching(book, self.mail, self.ordering, self.parking)

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
        self.mail.step(self.ordering.attempts)
        if self._finished():
            for line in (*standstill(self.book.state.tasks), *self.queue.explain()):
                self.book.listener.note(line)
            return False
        return True

    def _step(self) -> None:
        mode, attempts = self.book.mode, self.ordering.attempts
        if mode is TeamMode.STOPPED:
            self.leases.stop(attempts)
        else:
            self.purse.look(attempts)
            self.leases.interrupt(self.mail.urgent() & attempts)
            self.leases.stop(self.leases.unwanted(attempts))
        for x in self.ordering.waiting(stopped=mode is TeamMode.STOPPED):
            self.step_ends.proceed(x)
        if mode is TeamMode.STOPPED:
            self.queue.halt()
            return
        if mode is TeamMode.RUNNING:
            self._dispatching.dispatch()
        self.queue.step()

    def continue_attempt(self, execution: Execution) -> None:
        """Go on with what another orchestrator began, also with one that lost its lease.

        Its workers are waited for; a step that had not begun is begun.
        """
        self.book.state.put((execution,))
        live = execution.state in LIVE_STATES
        steps = [step for step in execution.steps if step.runs] if live else self._late(execution)
        if not execution.steps:
            steps = [unrecorded(execution)]
        for step in steps:
            if self._has_begun(execution, step):
                self.ordering.adopt(execution, step, frozenset(self.ending.removing))
            else:
                self.ordering.again(execution, step)
        if not steps:
            self.step_ends.proceed(execution)

    def _late(self, execution: Execution) -> list[Step]:
        """Return the steps of an attempt that is over whose workers live, else the last one."""
        rooms, steps = self.book.world.rooms, list(execution.steps)
        alive = [step for step in steps if rooms.observe(run_of(execution.id, step)).alive]
        return alive or steps[-1:]

    def _has_begun(self, execution: Execution, step: Step) -> bool:
        if step.number == 1 or execution.state not in LIVE_STATES:
            return True
        seen = self.book.world.rooms.observe(run_of(execution.id, step))
        return seen.alive or seen.started is not None or seen.exit is not None

    def _idle(self) -> tuple[str, ...]:
        """Return the executions whose rooms nobody works in and nobody clears away."""
        live = {execution.id for execution in self.book.state.live()}
        return self.book.world.rooms.idle(frozenset(live | self.ending.removing))

    def _finished(self) -> bool:
        parked = self.ordering.parked
        if self.ordering.attempts - parked or self.queue.busy or self.ending.removing:
            return False
        mode = self.book.mode
        if mode is TeamMode.STOPPED:
            return True
        awaited = {execution.id for execution in self._awaited(mode)}
        if awaited - self.queue.held - parked:
            return False
        if mode is TeamMode.RUNNING and self._dispatching.may_start():
            return self._dispatching.waits_for_space()
        waits = self.parking.waits(self.book.world.effects.now_ms(), also=bool(parked))
        return mode is not TeamMode.RUNNING or not waits

    @property
    def resting(self) -> tuple[str, ...]:
        """Why work is left that waits for a provider or a budget, one line each."""
        return self.parking.reasons(also=bool(self.ordering.parked))

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
            case WorkerStarted(turn=turn, started=started):
                commands = starting(self.book.state, turn.execution, turn.step, started)
                if commands:
                    self.book.record(*commands)
            case AgentPolled():
                self.purse.polled(message)
            case LettersHanded():
                self.mail.handed(message)
            case NotStarted():
                self.step_ends.not_started(message)
            case WorkerFinished():
                self.step_ends.finished(message)
