"""The merge queue at run time: does what the scheduler decides, and tells it what came of it.

:mod:`gitcto.queue` decides; what it is told is in the ledger first. Here are the jobs, the clock
and the target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitcto.model.commands import RecordVerdicts
from gitcto.model.queue_commands import LeaveQueue, OpenQueue
from gitcto.model.records import Execution, TaskState, Verdict
from gitcto.queue.actions import Action, Cancel, Eject, Hold, Land, Reject, Start
from gitcto.queue.decide import STUMBLES, decide
from gitcto.queue.records import Paused, Resumed, RunKind
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.ending import Ending
from gitcto.runtime.core.failures import Failure, of_ejection, of_verdict
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.messages import work_of
from gitcto.runtime.core.queue_messages import Admitted, Moved, QueueMessage, RunOver, Written
from gitcto.runtime.core.queue_values import Misfit
from gitcto.runtime.queue.admissions import Admissions
from gitcto.runtime.queue.composing import ToCompose
from gitcto.runtime.queue.lander import Lander
from gitcto.runtime.queue.queue_pen import Pen
from gitcto.runtime.queue.queue_runs import Runs
from gitcto.runtime.queue.rejecting import of_misfit, of_red


class MergeQueue:
    """Judges harvested work, several changes at once, and lands what is green."""

    def __init__(self, book: Book, jobs: Runner, ending: Ending) -> None:
        self._book = book
        self._ending = ending
        self._pen = Pen(book)
        self._admissions = Admissions(self._pen, book, jobs, ending)
        self._runs = Runs(self._pen, book, jobs, self._admissions)
        self._lander = Lander(self._pen, book, jobs, ending)
        self._predictor = book.world.predictor(book.listener.note)
        self._resumed = 0
        self._waits = ""

    @property
    def busy(self) -> bool:
        """Tell whether something is under way that will be told of."""
        return bool(self._admissions.under_way) or self._runs.under_way or self._lander.busy

    @property
    def held(self) -> frozenset[str]:
        """The executions that cannot go on before a person does something."""
        waiting = self._pen.draft.items if self._waits and not self._runs.under_way else ()
        return frozenset(self._admissions.aside).union(waiting)

    def enqueue(self, execution: Execution) -> None:
        """Take harvested work up."""
        self._admissions.begin(execution)

    def handle(self, message: QueueMessage) -> None:
        """Take note of what a job found out; :meth:`step` does something about it."""
        match message:
            case Admitted():
                self._admissions.judged(message)
            case RunOver():
                self._over(message)
            case Written():
                self._lander.written(message)
            case Moved():
                self._lander.moved(message)

    def step(self) -> None:
        """Do all that can be done now."""
        self._follow_others()
        if self._admissions.aside:
            self._open()
            self._admissions.enqueue()
        if self._pen.draft.items and not self._lander.busy:
            self._follow_target()
        self._settle()
        if not self._lander.busy:
            self._runs.keep()
        self._pen.record()
        self._runs.start(self._lander.tips)

    def halt(self) -> None:
        """End every run: the team was stopped."""
        for number in sorted(self._pen.draft.running):
            self._runs.cancel(number, "the team was stopped")
        self._pen.record()

    def explain(self) -> Iterator[str]:
        """Yield what waits for a person when a run ends, a line each."""
        state = self._book.state
        for task in sorted(state.executions[each].task for each in self._admissions.aside):
            yield f"{task} waits for approval: `git cto approve {task}`, then run again"
        waiting = len(self._pen.draft.items)
        if self._waits and waiting:
            changes = "1 change waits" if waiting == 1 else f"{waiting} changes wait"
            yield f"{changes} in the merge queue ({self._waits}): `git cto queue` shows it"

    def _open(self) -> None:
        if not self._lander.tips:
            self._pen.note(OpenQueue())
            self._lander.tips.append(self._book.tip())
            team = self._book.state.team
            self._resumed = team.queue_resumed if team else 0

    def _follow_others(self) -> None:
        """Take in what other commands recorded: pauses, ejections, changes that ended otherwise."""
        team = self._book.state.team
        if team is None or not self._lander.tips:
            return
        if team.queue_resumed != self._resumed:
            self._resumed = team.queue_resumed
            self._pen.take(Resumed())
        if team.queue_paused and not self._pen.queue.paused:
            self._pen.take(Paused())
        if self._lander.busy:
            return
        for execution_id in sorted({*self._pen.draft.items, *self._admissions.aside}):
            x = self._book.state.executions[execution_id]
            if x.state is not TaskState.VALIDATING:
                self._lost(x)
            elif x.ejection:
                self._leave(_Leaving(execution=x, failure=of_ejection(x.ejection)))

    def _lost(self, x: Execution) -> None:
        """Let a change go that somebody else ended."""
        self._admissions.aside.discard(x.id)
        left = LeaveQueue(execution=x.id, how="ejected", reason=f"it is {x.state}")
        if x.id in self._pen.draft.items and self._pen.note(left) is not None:
            return
        if x.state is TaskState.FAILED:
            self._ending.given_up(x)

    def _follow_target(self) -> None:
        if self._book.tip() != self._lander.tips[-1]:
            self._lander.target_moved()

    def _settle(self) -> None:
        world, waits = self._book.world, ""
        while (self._pen.draft.items or self._pen.draft.running) and not self._lander.busy:
            capacity, now_ms = world.policy.queue_capacity, world.effects.now_ms()
            actions = decide(self._pen.draft, capacity, self._predictor, now_ms)
            waits = next((a.reason for a in actions if isinstance(a, Hold) and not a.items), "")
            changed = [self._carry_out(action) for action in actions]
            if not any(changed):
                break
        if waits and self._pen.draft.sound is False:
            waits += f" ({', '.join(self._runs.swept()[:5])})"
        if waits and waits != self._waits:
            self._book.listener.note(f"the merge queue waits: {waits}")
        self._waits = waits

    def _carry_out(self, action: Action) -> bool:
        """Do one thing; tell whether there may be more to do because of it."""
        match action:
            case Start(run=run) if run.kind is RunKind.SWEEP and not self._pen.draft.items:
                return False  # nobody waits for the target to be judged
            case Start(run=run):
                self._runs.note(run, self._lander.tips[run.tip])
            case Cancel(number=number, reason=reason):
                self._runs.cancel(number, reason)
            case Land(number=number, items=items):
                self._land(number, items)
            case Reject():
                self._reject(action)
            case Eject(item=item):
                self._give_to_a_person(item)
            case Hold():
                return self._stumbled()
        return True

    def _stumbled(self) -> bool:
        """Give what no gate could judge to a person, once the queue has stopped for that."""
        queue = self._pen.draft
        if queue.paused or queue.running or queue.stumbles < STUMBLES:
            return False
        items = [each for each in sorted(queue.stumbled) if each in queue.items]
        for item in items:
            self._give_to_a_person(item)
        return bool(items)

    def _give_to_a_person(self, item: str) -> None:
        judged, evidence = self._runs.not_run[item]
        self._leave(
            _Leaving(
                execution=self._book.state.executions[item],
                failure=of_verdict(judged.verdict),
                verdicts=(judged.verdict,),
                evidence=evidence,
            )
        )

    def _reject(self, action: Reject) -> None:
        x = self._book.state.executions[action.item]
        outcome = self._runs.outcomes[action.confirmations[-1]]
        self._leave(
            _Leaving(
                execution=x,
                failure=of_red(self._book.world.policy, x, outcome),
                verdicts=tuple(one.verdict for one in outcome.judged),
                runs=(action.number, *action.confirmations),
                evidence=outcome.evidence,
            )
        )

    def _leave(self, leaving: _Leaving) -> None:
        """End an attempt whose change leaves the queue, in one transaction."""
        self._pen.record()
        self._admissions.aside.discard(leaving.execution.id)
        before = leaving.commands(queued=leaving.execution.id in self._pen.queue.items)
        self._ending.fail(
            leaving.execution,
            leaving.failure,
            work_of(leaving.execution),
            before=before,
            evidence=leaving.evidence,
        )

    def _land(self, number: int, items: tuple[str, ...]) -> None:
        layers = self._runs.outcomes[number].layers[-len(items) :]
        onto, judged = self._lander.tips[-1], self._runs.green(number)
        self._lander.land(ToCompose(number=number, onto=onto, layers=layers, judged=judged))

    def _over(self, message: RunOver) -> None:
        found = self._runs.over(message)
        if found is None:
            return
        if isinstance(found, Misfit):
            self._misfit(message.number, found)
            return
        if found.unsound:
            reason = f"red without any change: {', '.join(found.unsound[:5])}"
            self._runs.cancel(message.number, reason)
            if found.onto == self._lander.tips[-1]:
                self._lander.target_moved()
            return
        self._runs.end(message.number)
        if found.composed is not None:
            self._lander.keep(found.composed)

    def _misfit(self, number: int, misfit: Misfit) -> None:
        """End a run of which no tree can be made; a change that does not go on the tip leaves."""
        x = self._book.state.executions[misfit.id]
        if misfit.beside:
            clash = (misfit.id, *misfit.beside)
            self._runs.cancel(number, f"{x.task} does not go on top of the others", clash)
            return
        self._runs.cancel(number, f"{x.task} does not go on the target")
        if misfit.onto != self._lander.tips[-1] or misfit.id not in self._pen.draft.items:
            return
        if misfit.entry is not None and not misfit.verdicts:
            reason = "on the target it is another change than was approved"
            left = LeaveQueue(execution=x.id, how="ejected", reason=reason)
            self._admissions.ask(misfit.entry, left)
            return
        task, world = self._book.state.tasks[x.task], self._book.world
        person = world.holder.partition("/")[0]
        failure = of_misfit(world.policy, task, misfit, person)
        self._leave(_Leaving(execution=x, failure=failure, verdicts=misfit.verdicts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaving:
    """A change that leaves without landing: for its own fault when ``runs`` showed that."""

    execution: Execution
    failure: Failure
    verdicts: tuple[Verdict, ...] = ()
    runs: tuple[int, ...] = ()
    evidence: str = ""

    def commands(self, *, queued: bool) -> tuple[RecordVerdicts | LeaveQueue, ...]:
        """Return what is recorded before the attempt's failure."""
        x = self.execution
        left = LeaveQueue(
            execution=x.id,
            how="rejected" if self.runs else "ejected",
            reason=self.failure.reason,
            runs=self.runs,
        )
        judged = RecordVerdicts(execution=x.id, epoch=x.epoch, verdicts=self.verdicts)
        return (*([judged] if self.verdicts else []), *([left] if queued else []))
