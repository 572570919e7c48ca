"""Landing at run time: composed in a job, intended on the loop, carried out in a job, confirmed."""

from __future__ import annotations

from gitcto.model.queue_commands import LeaveQueue, NoteTargetMoved, RecordLanded
from gitcto.model.records import Execution, TaskState
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.ending import Ending
from gitcto.runtime.core.failures import Failure, of_evidence
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.messages import work_of
from gitcto.runtime.core.queue_messages import Moved, Written
from gitcto.runtime.core.queue_values import Composed
from gitcto.runtime.queue.composing import ToCompose, composing
from gitcto.runtime.queue.landing import (
    abandonments,
    attachments,
    carrying,
    confirmations,
    intents,
    refused,
)
from gitcto.runtime.queue.queue_pen import Pen


class Lander:
    """Lands green runs one after the other.

    ``tips`` are the target's commits: at first, and after each move that the queue counts.
    """

    def __init__(self, pen: Pen, book: Book, jobs: Runner, ending: Ending) -> None:
        self.tips: list[str] = []
        self._pen = pen
        self._book = book
        self._jobs = jobs
        self._ending = ending
        self._composed: dict[int, Composed] = {}
        self._composing = False
        self._landing: Composed | None = None

    @property
    def busy(self) -> bool:
        """Tell whether a landing is being written or carried out: nothing is decided meanwhile."""
        return self._composing or self._landing is not None

    def keep(self, composed: Composed) -> None:
        """Remember what was written for a green run."""
        self._composed[composed.number] = composed

    def land(self, request: ToCompose) -> None:
        """Land a green run's new changes: now when they are written, else once they are."""
        composed = self._composed.pop(request.number, None)
        items = tuple(layer.id for layer in request.layers)
        if composed is not None and not composed.fits:
            self.target_moved()
        elif composed is not None and composed.unwritten is not None:
            x = self._book.state.executions[composed.unwritten.execution]
            self._leave(x, of_evidence(composed.unwritten.unwritten))
        elif composed is None or (composed.onto, composed.items) != (request.onto, items):
            self._composing = True
            self._jobs.start(f"write {request.number}", composing(self._book.world.bench, request))
        else:
            self._intend(composed)

    def written(self, message: Written) -> None:
        """Take note that a landing is written."""
        self._composing = False
        self.keep(message.composed)

    def target_moved(self) -> None:
        """Note that nobody has judged the target as it is now."""
        tip = self._book.tip()
        self._pen.note(NoteTargetMoved(commit=tip))
        self.tips.append(tip)

    def _intend(self, composed: Composed) -> None:
        book = self._book
        book.distrust()
        book.world.target.refuse_checked_out(book.target)
        if self._is_stale(composed):
            return
        commands = [each for member in composed.members for each in intents(book, composed, member)]
        refusal = self._pen.record(*commands, attachments=attachments(book, composed))
        if refusal is not None:
            self._refused(composed)
            return
        book.world.effects.crash_point("landing.intended")
        self._landing = composed
        landing = composed.landing(book.target, composed.members[-1])
        self._jobs.start(f"land {composed.number}", carrying(book.world, landing))

    def _is_stale(self, composed: Composed) -> bool:
        """Take the first change out whose evidence does not bear its landing; tell of one."""
        book = self._book
        for member in composed.members:
            x = book.state.executions[member.execution]
            landing = composed.landing(book.target, member)
            why = book.world.bench.stale(x, member.evidence, landing)
            if why:
                self._leave(x, of_evidence(why))
                return True
        return False

    def _refused(self, composed: Composed) -> None:
        """Take the change out whose landing is refused; the others are judged without it."""
        found = refused(self._book, composed)
        if found is None:
            return  # somebody changed something meanwhile; it is decided again
        execution_id, refusal = found
        x = self._book.state.executions[execution_id]
        failure = Failure(reason=refusal.code, detail=refusal.detail, charged=False, block=True)
        self._leave(x, failure)

    def _leave(self, x: Execution, failure: Failure, *, landing: bool = False) -> None:
        self._pen.record()
        left = LeaveQueue(execution=x.id, how="ejected", reason=failure.reason)
        first = abandonments((x,), failure.reason) if landing else ()
        self._ending.fail(x, failure, work_of(x), before=(*first, left))

    def moved(self, message: Moved) -> None:
        """Record what came of a landing."""
        composed, self._landing = self._landing, None
        if composed is None:
            return
        group = [self._book.state.executions[each] for each in composed.items]
        if not message.moved:
            tip = self._book.tip()
            gone = NoteTargetMoved(commit=tip)
            self._pen.record(*abandonments(group, "target_moved"), gone)
            self.tips.append(tip)
            return
        done = confirmations(self._book, group, message, found="moved")
        refusal = self._pen.record(*done, RecordLanded(number=composed.number))
        if refusal is not None:
            failure = Failure(reason="target_rewritten", detail=refusal.detail, block=True)
            for x in (self._book.state.executions[each.id] for each in group):
                if x.state is TaskState.INTEGRATING:  # else another clone found it landed
                    self._leave(x, failure, landing=True)
            self.target_moved()
            return
        self._book.world.effects.crash_point("landing.done")
        self.tips += [member.commit for member in composed.members]
        for x in group:
            self._ending.settle(x)
