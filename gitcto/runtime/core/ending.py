"""Ending executions: work is kept first, the reason is recorded, then the room goes."""

from __future__ import annotations

from gitcto.model.backoff import wait_ms
from gitcto.model.circuit_records import is_passing, is_terminal
from gitcto.model.commands import FailExecution, RecordPreserved, SingleCommand
from gitcto.model.records import Execution
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.messages import RoomRemoved, Work, work_of
from gitcto.runtime.core.seats import last_in, seat_of, seated, seats_of


class Ending:
    """Ends executions of one run. ``removing`` are those whose rooms are being cleared away."""

    def __init__(self, book: Book, jobs: Runner) -> None:
        self._book = book
        self._jobs = jobs
        self.removing: set[str] = set()

    def fail(
        self,
        execution: Execution,
        failure: Failure,
        work: Work | None,
        *,
        before: tuple[SingleCommand, ...] = (),
        evidence: str = "",
    ) -> None:
        """End an attempt without landing: keep its work, record why, clear its room away.

        Without ``work`` nothing could be taken up, so the room stays as it is. Without ``evidence``
        of a judgement, that of the failure is written.
        """
        world = self._book.world
        kept = world.rooms.preserve(execution, work)
        beside = self.beside(execution, seat_of(execution))
        evidence = evidence or self._evidence(execution, failure, work)
        end = self._end(execution, failure, evidence)
        attachments = {f"evidence/{execution.id}": evidence} if evidence else {}
        keeping = (*beside, kept) if kept else beside
        refusal = self._book.record(*before, *keeping, end, attachments=attachments)
        if refusal is not None:
            if keeping:
                self._book.record(*keeping)
            self._book.listener.note(f"{execution.task}: {refusal.detail}")
        if work is None:
            where = world.rooms.where(execution.id)
            self._book.listener.note(f"{execution.task}: kept as it is: {where}")
            return
        self.settle(execution)

    def _end(self, x: Execution, failure: Failure, evidence: str) -> FailExecution:
        """Return the command that ends an attempt; a provider's fault is not its task's."""
        retries, fault = self._book.world.policy.retries, failure.said
        terminal, passing = is_terminal(fault), is_passing(fault)
        wait = 0
        if fault is not None and passing:
            faults, most = self._book.state.tasks[x.task].faults, retries.backoff_max_s * 1000
            wait = wait_ms(fault, faults, x.id, retries.backoff_s * 1000, most)
        return FailExecution(
            execution=x.id,
            epoch=x.epoch,
            reason=failure.reason,
            detail=failure.detail,
            charged=failure.charged and not (terminal or passing),
            max_attempts=retries.max_attempts,
            block=failure.block and not terminal,
            evidence=evidence,
            fault=fault.kind if fault is not None and (terminal or passing) else "",
            max_faults=retries.faults_per_task,
            not_before_ms=self._book.world.effects.now_ms() + wait if wait else 0,
        )

    def beside(self, x: Execution, seat: str) -> tuple[RecordPreserved, ...]:
        """Keep what was made in all seats but one; return the commands that record it."""
        rooms, task, found = self._book.world.rooms, self._book.state.tasks[x.task], []
        for other in seats_of(x):
            if other != seat:
                work = rooms.take_up(task, seated(x, last_in(x, other)))
                found.append(rooms.preserve(x, work, other))
        return tuple(each for each in found if each is not None)

    def given_up(self, execution: Execution) -> None:
        """Keep the harvested work of an attempt that somebody else ended; clear its room away."""
        kept = self._book.world.rooms.preserve(execution, work_of(execution))
        if kept is not None:
            self._book.record(kept)
        self.settle(execution)

    def _evidence(self, execution: Execution, failure: Failure, work: Work | None) -> str:
        """Return the evidence of a failure; nothing, and a note, when it cannot be written."""
        task = self._book.state.tasks[execution.task]
        evidence, why = self._book.world.bench.failure_bundle(task, execution, failure, work)
        if why:
            self._book.listener.note(f"{execution.task}: no evidence of its failure: {why}")
        return evidence

    def settle(self, execution: Execution) -> None:
        """Clear away what an ended execution left; its work is reachable without it."""
        self.removing.add(execution.id)
        self._jobs.start(f"remove {execution.id}", self._book.world.rooms.removal(execution))

    def removed(self, message: RoomRemoved) -> None:
        """Take note that a room is gone, or why it is not."""
        self.removing.discard(message.execution)
        if message.problem:
            self._book.listener.note(f"left for `git cto clean`: {message.problem}")
