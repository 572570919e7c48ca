"""What waits before the merge queue: work on its way in, and what persons must approve."""

from __future__ import annotations

from dataclasses import replace

from gitcto.model.codec import Opaque
from gitcto.model.commands import RecordVerdicts, SingleCommand
from gitcto.model.queue_commands import Enqueue
from gitcto.model.queue_events import QueueOpened
from gitcto.model.records import Execution, TaskSpec, TaskState, Verdict
from gitcto.policy.gates import required_gates
from gitcto.queue.facts import fold_events
from gitcto.queue.state import Queue
from gitcto.runtime.core import failures
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.ending import Ending
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.judged import remember
from gitcto.runtime.core.messages import work_of
from gitcto.runtime.core.queue_messages import Admitted
from gitcto.runtime.core.queue_values import Entry
from gitcto.runtime.queue import approvals
from gitcto.runtime.queue.admission import admission, touched
from gitcto.runtime.queue.queue_pen import Pen
from gitcto.store.queries import StoredEvent


class Admissions:
    """Judges changes by themselves and enqueues them.

    ``entries`` are all changes that passed their change gates, ``under_way`` those being judged,
    ``aside`` those that are not enqueued yet; ``known`` are green verdicts of any run.
    """

    def __init__(self, pen: Pen, book: Book, jobs: Runner, ending: Ending) -> None:
        self.entries: dict[str, Entry] = {}
        self.under_way: set[str] = set()
        self.aside: set[str] = set()
        self.known: dict[str, Verdict] = {}
        self._pen = pen
        self._book = book
        self._jobs = jobs
        self._ending = ending
        self._lines: dict[str, int] = {}
        self._former: Queue | None = None

    def entry(self, execution_id: str) -> Entry:
        """Return a change as it was judged, with its execution as it stands."""
        entry, state = self.entries[execution_id], self._book.state
        execution = state.executions[execution_id]
        task = state.tasks[execution.task]
        candidate = replace(entry.candidate, task=task, execution=execution)
        return replace(entry, candidate=candidate)

    def begin(self, execution: Execution) -> None:
        """Judge harvested work by itself; what was judged green before is not judged again."""
        remember(self.known, execution.verdicts)
        self.under_way.add(execution.id)
        task = self._book.state.tasks[execution.task]
        job = admission(self._book.world.bench, task, execution, dict(self.known))
        self._jobs.start(f"admit {execution.id}", job)

    def judged(self, message: Admitted) -> None:
        """Set a change aside until it may be enqueued, or fail it when a gate said no."""
        entry = message.entry
        self.under_way.discard(entry.id)
        x = self._book.state.executions[entry.id]
        if x.state is not TaskState.VALIDATING:
            return
        verdicts = tuple(one.verdict for one in entry.judged)
        remember(self.known, verdicts)
        fresh = tuple(verdict for verdict in verdicts if verdict not in x.verdicts)
        record = (RecordVerdicts(execution=x.id, epoch=x.epoch, verdicts=fresh),) if fresh else ()
        failure = self._failure(x, verdicts)
        if message.unwritten:
            failure = failures.of_evidence(message.unwritten)
        if failure is not None:
            self._pen.record()
            self._ending.fail(x, failure, work_of(x), before=record, evidence=message.evidence)
            return
        self._pen.note(*record)
        self._lines[x.id] = message.lines
        if x.approval:  # asked for by an earlier run, perhaps for what the change was on a tip
            self._set_aside(entry)
        else:
            self.ask(entry)

    def ask(self, entry: Entry, *before: SingleCommand) -> None:
        """Set a change aside, and ask for the approvals that exactly this change needs."""
        x = self._book.state.executions[entry.id]
        task = self._book.state.tasks[x.task]
        asked = approvals.request(self._book.world, task, x, entry.candidate.change)
        if asked is not None or before:
            self._pen.record(*before, *([asked] if asked else []))
        self._set_aside(entry)

    def _set_aside(self, entry: Entry) -> None:
        self.entries[entry.id] = entry
        self.aside.add(entry.id)

    def enqueue(self) -> None:
        """Enqueue what may be, in the order of harvest; end what never will."""
        state, world = self._book.state, self._book.world
        for x in sorted((state.executions[each] for each in self.aside), key=_place):
            if x.state is not TaskState.VALIDATING:
                self.aside.discard(x.id)
                continue
            now_ms = world.effects.now_ms()
            standing = approvals.standing(world.policy, state.tasks[x.task], x, now_ms)
            if standing == "granted":
                self._enqueue(x)
            elif isinstance(standing, Failure):
                self.aside.discard(x.id)
                self._pen.record()
                self._ending.fail(x, standing, work_of(x))

    def _enqueue(self, x: Execution) -> None:
        former = self._former_queue()
        before = former.items.get(x.id) or self._pen.queue.known.get(x.id)
        candidate = self.entries[x.id].candidate
        failed, judged = self._record_of(x)
        overtaken = {**former.overtaken, **self._pen.queue.overtaken}
        refusal = self._pen.note(
            Enqueue(
                execution=x.id,
                epoch=x.epoch,
                change=x.change if x.approval else candidate.change,
                enqueued_ms=before.enqueued_ms if before else self._book.world.effects.now_ms(),
                paths=touched(candidate.changes),
                lines=self._lines.get(x.id, 0),
                failures=failed,
                judged=judged,
                overtaken=overtaken.get(x.id, 0),
            )
        )
        if refusal is None:
            self.aside.discard(x.id)

    def _failure(self, x: Execution, verdicts: tuple[Verdict, ...]) -> Failure | None:
        tier = self._book.state.tasks[x.task].spec.tier
        if not required_gates(self._book.world.policy, tier):
            return failures.no_gates(tier)
        return failures.of_verdicts(verdicts)

    def _record_of(self, x: Execution) -> tuple[int, int]:
        """Return how many of its role's and provider's changes gates refused, of those judged."""
        ended = [
            other
            for other in self._book.state.executions.values()
            if (other.role, other.provider) == (x.role, x.provider)
            and other.state in {TaskState.DONE, TaskState.FAILED}
        ]
        failed = sum(any(v.status == "fail" for v in other.verdicts) for other in ended)
        return failed, failed + sum(other.state is TaskState.DONE for other in ended)

    def _former_queue(self) -> Queue:
        """Return the queue as the run before left it: what waits keeps its time and its turn."""
        if self._former is None:
            self._former = former_queue(self._book)
        return self._former


def former_queue(book: Book) -> Queue:
    """Return the queue as the ledger's last ``queue.opened`` and what follows it make it.

    Each clone that runs the team has a queue of its own.
    """
    log = _own_log(book) if book.world.shared else book.world.ledger.queue_log()
    bodies = [stored.event.body for stored in log if not isinstance(stored.event.body, Opaque)]
    view = book.world.ledger.view()
    specs: dict[str, TaskSpec] = {}
    for body in bodies:
        execution = view.execution(getattr(body, "execution", ""))
        if execution is not None:
            specs[execution.id] = book.state.tasks[execution.task].spec
    return fold_events(bodies, specs)


def _own_log(book: Book) -> list[StoredEvent]:
    """Return what this clone recorded since it opened its queue last, the oldest first."""
    ledger, found = book.world.ledger, []
    for stored in ledger.events(newest_first=True):
        if stored.event.actor != ledger.actor:
            continue
        found.append(stored)
        if isinstance(stored.event.body, QueueOpened):
            break
    return found[::-1]


def _place(execution: Execution) -> int:
    return execution.place
