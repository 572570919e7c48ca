"""The runs of the merge queue that are under way, and what those that ended have shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Event

from gitcto.model.commands import RecordVerdicts
from gitcto.model.queue_commands import EndRun, StartRun
from gitcto.model.verdicts import flaky
from gitcto.policy.gates import required_gates
from gitcto.queue.records import Run, RunKind, Verdict
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.judged import Judged, first_red, remember
from gitcto.runtime.core.queue_messages import RunOver
from gitcto.runtime.core.queue_values import Misfit, Outcome
from gitcto.runtime.queue.admissions import Admissions
from gitcto.runtime.queue.judging import Order, judging
from gitcto.runtime.queue.queue_pen import Pen


class Runs:
    """Starts, ends and remembers runs.

    ``outcomes`` are those of runs that ended, by number; ``not_run`` the gate that could not judge
    a change when it was last tried, with the evidence of that.
    """

    def __init__(self, pen: Pen, book: Book, jobs: Runner, admissions: Admissions) -> None:
        self.outcomes: dict[int, Outcome] = {}
        self.not_run: dict[str, tuple[Judged, str]] = {}
        self._pen = pen
        self._book = book
        self._jobs = jobs
        self._admissions = admissions
        self._stops: dict[int, Event] = {}
        self._noted: list[Run] = []
        self._proved: set[tuple[str, str]] = set()
        self._unkept: list[int] = []

    @property
    def under_way(self) -> bool:
        """Tell whether a run's job has not come to its end, cancelled ones included."""
        return bool(self._stops)

    def note(self, run: Run, onto: str) -> None:
        """Note that a run starts, on the commit ``onto``."""
        self._pen.note(
            StartRun(
                number=run.number,
                run=run.kind.value,
                tip=run.tip,
                onto=onto,
                prefix=run.prefix,
                unit=run.unit,
                confirms=run.confirms,
                tests=run.tests,
            )
        )
        self._noted.append(run)

    def start(self, tips: Sequence[str]) -> None:
        """Start the runs whose start is recorded by now."""
        runs, self._noted = self._noted, []
        for run in runs:
            if run.number not in self._pen.queue.running:
                continue
            self._book.world.effects.crash_point("queue.started")
            stop = self._stops[run.number] = Event()
            waiting = run.tree
            if run.kind is RunKind.SWEEP:
                waiting = tuple(self._pen.queue.items)
                self._learn()
            order = Order(
                run=run,
                onto=tips[run.tip],
                entries=tuple(self._admissions.entry(each) for each in waiting),
                known=dict(self._admissions.known),
                proved=frozenset(self._proved),
                stop=stop,
            )
            self._jobs.start(f"judge {run.number}", judging(self._book.world.bench, order))

    def _learn(self) -> None:
        """Learn the verdicts of everybody's changes: another clone may have moved the target."""
        executions = self._book.state.executions.values()
        remember(self._admissions.known, [v for x in executions for v in x.verdicts])

    def cancel(self, number: int, reason: str, clash: tuple[str, ...] = ()) -> None:
        """Note that a run is ended without a verdict, and end its processes."""
        self._pen.note(EndRun(number=number, verdict="cancelled", reason=reason, clash=clash))
        if number in self._stops:
            self._stops[number].set()

    def over(self, message: RunOver) -> Outcome | Misfit | None:
        """Take note that a job has ended; return what it found unless nobody wants it any more."""
        del self._stops[message.number]
        if message.number not in self._pen.draft.running:
            return None
        if isinstance(message.outcome, Outcome):
            self._remember(message.number, message.outcome)
        return message.outcome

    def _remember(self, number: int, outcome: Outcome) -> None:
        run = self._pen.draft.running[number]
        self.outcomes[number] = outcome
        remember(self._admissions.known, [one.verdict for one in outcome.judged])
        if not run.tests:
            passed = [one.verdict.gate for one in outcome.judged if one.verdict.status == "pass"]
            self._proved |= {(outcome.tree, f"{gate}:") for gate in passed}
        self._proved |= {(outcome.base, name) for name in outcome.sound}
        red = first_red(outcome.judged)
        if outcome.said == "not_run" and red is not None:
            self.not_run |= dict.fromkeys(run.unit, (red, outcome.evidence))

    def end(self, number: int) -> None:
        """Note the verdict of a run."""
        outcome = self.outcomes[number]
        self._pen.note(
            EndRun(
                number=number,
                verdict=outcome.said,
                tree=outcome.tree,
                executed=outcome.executed,
                failed=outcome.failed,
                reason=outcome.reason,
            )
        )
        if outcome.said == "green" and outcome.layers:
            self._unkept.append(number)

    def keep(self) -> None:
        """Note what green runs that do not land yet have shown: the next run of the team knows it.

        Each tree's verdicts are recorded with its last change, those that this one's tier demands.
        """
        numbers, self._unkept = self._unkept, []
        state = self._book.state
        for number in numbers:
            outcome = self.outcomes[number]
            if outcome.layers[-1].id not in self._pen.draft.items:
                continue
            x = state.executions[outcome.layers[-1].id]
            demanded = required_gates(self._book.world.policy, state.tasks[x.task].spec.tier)
            verdicts = tuple(one.verdict for one in outcome.judged if one.verdict.gate in demanded)
            self._pen.note(RecordVerdicts(execution=x.id, epoch=x.epoch, verdicts=verdicts))

    def green(self, number: int) -> tuple[Judged, ...]:
        """Return the passes of a run that counts as green.

        What was red in it passed when it was run again on the same tree.
        """
        outcome, ended = self.outcomes[number], self._pen.draft.ended
        if outcome.said == "green":
            return outcome.judged
        again = next(
            self.outcomes[one.run.number].judged
            for one in ended.values()
            if one.run.confirms == number
            and one.verdict is Verdict.GREEN
            and one.run.tree == ended[number].run.tree
        )
        passed = {one.verdict.gate: one for one in again}
        return tuple(
            one if one.verdict.status == "pass" else _flaked(one, passed[one.verdict.gate])
            for one in outcome.judged
        )

    def swept(self) -> tuple[str, ...]:
        """Return what was red in the last sweep of the target."""
        sweeps = [outcome for outcome in self.outcomes.values() if not outcome.layers]
        return sweeps[-1].failed if sweeps else ()


def _flaked(red: Judged, again: Judged) -> Judged:
    """Return the pass of a gate that was red and then, on the same tree, green."""
    return replace(again, verdict=flaky(red.verdict, again.verdict), log=red.log + again.log)
