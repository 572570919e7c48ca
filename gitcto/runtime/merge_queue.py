"""The merge queue: one attempt after the other is judged on the target's tip, and lands."""

from __future__ import annotations

from gitcto.model.commands import (
    AbandonLanding,
    ConfirmLanding,
    IntendLanding,
    RecordVerdicts,
    SingleCommand,
)
from gitcto.model.records import Execution, Landing, TaskState, Verdict
from gitcto.policy.decisions import Arrival, decide_done, decide_landing
from gitcto.policy.gates import required_gates
from gitcto.runtime import failures
from gitcto.runtime.asked import asked
from gitcto.runtime.book import Book
from gitcto.runtime.ending import Ending
from gitcto.runtime.evidence import check
from gitcto.runtime.failures import Failure
from gitcto.runtime.gates import remember
from gitcto.runtime.jobs import Jobs
from gitcto.runtime.messages import Validated, Work
from gitcto.runtime.target import move, refuse_checked_out
from gitcto.runtime.validation import validate

NOT_PUSHED = "not pushed: policy names no remote"


class MergeQueue:
    """Judges harvested work in the order it was harvested, one at a time, and lands it."""

    def __init__(self, book: Book, jobs: Jobs, ending: Ending) -> None:
        self._book = book
        self._jobs = jobs
        self._ending = ending
        self._waiting: list[str] = []
        self._judging = ""
        self._green: dict[str, Verdict] = {}

    @property
    def busy(self) -> bool:
        """Tell whether a judgement is under way."""
        return bool(self._judging)

    @property
    def empty(self) -> bool:
        """Tell whether nothing waits and nothing is under way."""
        return not self._waiting and not self._judging

    def enqueue(self, execution: Execution) -> None:
        """Put harvested work at the end, and remember what was already judged green."""
        self._remember(execution.verdicts)
        self._waiting.append(execution.id)

    def next(self) -> None:
        """Start judging the first waiting execution unless one is being judged."""
        if self._judging or not self._waiting:
            return
        state = self._book.state
        execution = state.executions[self._waiting.pop(0)]
        if execution.state is not TaskState.VALIDATING:
            return
        self._judging = execution.id
        task = state.tasks[execution.task]
        job = validate(self._book.context, task, execution, self._book.tip(), dict(self._green))
        self._jobs.start(f"validate {execution.id}", job)

    def judged(self, message: Validated) -> None:
        """Land what was judged green; fail the rest."""
        self._judging = ""
        self._remember(message.verdicts)
        x = self._book.state.executions[message.execution.id]
        if x.state is not TaskState.VALIDATING:
            return
        task = self._book.state.tasks[x.task]
        failure = failures.of_validation(message, task, self._book.context.policy)
        if failure is None:
            self._land(x, message)
            return
        before: tuple[SingleCommand, ...] = ()
        if message.verdicts:
            before = (RecordVerdicts(execution=x.id, epoch=x.epoch, verdicts=message.verdicts),)
        work = work_of(x)
        self._ending.fail(x, failure, work, before=before, evidence=message.evidence)

    def _remember(self, verdicts: tuple[Verdict, ...]) -> None:
        remember(self._green, verdicts)

    def _land(self, x: Execution, judged: Validated) -> None:
        book, context = self._book, self._book.context
        task = book.state.tasks[x.task]
        landing = Landing(
            target=book.target,
            old=judged.onto,
            new=judged.commit,
            tree=judged.tree,
            evidence=judged.evidence,
            commit=judged.commit,
            change=judged.change,
        )
        stale = check(context, x, judged.evidence, landing)
        if stale:
            self._ending.fail(x, failures.of_evidence(stale), work_of(x))
            return
        refuse_checked_out(context.refs, book.target)
        intent = IntendLanding(
            execution=x.id,
            epoch=x.epoch,
            landing=landing,
            required=required_gates(context.policy, task.spec.tier),
            decision=decide_landing(
                context.policy, asked(context, x, task), landing, judged.verdicts
            ),
        )
        refusal = book.record(
            RecordVerdicts(execution=x.id, epoch=x.epoch, verdicts=judged.verdicts),
            intent,
            attachments={f"evidence/{x.id}": judged.evidence, f"work/{x.id}": x.tree},
        )
        if refusal is not None:
            failure = Failure(reason=refusal.code, detail=refusal.detail, block=True)
            self._ending.fail(x, failure, work_of(x))
            return
        context.effects.crash_point("landing.intended")
        self.carry_out(book.state.executions[x.id], landing)

    def carry_out(self, x: Execution, landing: Landing) -> None:
        """Do what a landing's intent says, by compare-and-swap, and record the outcome."""
        moved = move(self._book.context, landing)
        self._book.context.effects.crash_point("landing.moved")
        if moved:
            self.confirm(x, landing, landed=landing.new, found="moved")
        else:
            self.abandon(x)

    def abandon(self, x: Execution) -> None:
        """Record that the target had moved, and judge the work again on the new tip."""
        self._book.record(AbandonLanding(execution=x.id, epoch=x.epoch, reason="target_moved"))
        self.enqueue(self._book.state.executions[x.id])

    def confirm(self, x: Execution, landing: Landing, *, landed: str, found: str) -> None:
        """Record that the target holds the commit ``landed``: the task is done.

        A commit other than the intended one carries this execution only when somebody rewrote the
        target; its tree was never judged, so a person must look.
        """
        book = self._book
        task = book.state.tasks[x.task]
        decision = decide_done(
            book.context.policy,
            asked(book.context, x, task),
            landing,
            x.verdicts,
            Arrival(commit=landed, push=NOT_PUSHED),
        )
        refusal = book.record(
            ConfirmLanding(
                execution=x.id, epoch=x.epoch, found=found, decision=decision, push=NOT_PUSHED
            )
        )
        if refusal is None:
            self._ending.settle(x)
            return
        abandoned = AbandonLanding(execution=x.id, epoch=x.epoch, reason=refusal.code)
        failure = Failure(reason="target_rewritten", detail=refusal.detail, block=True)
        self._ending.fail(x, failure, work_of(x), before=(abandoned,))


def work_of(execution: Execution) -> Work:
    """Return an execution's harvested work as the job reported it."""
    return Work(commit=execution.work, tree=execution.tree, changed=execution.changed)
