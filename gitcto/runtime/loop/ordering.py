"""Carrying out what a strategy orders: each order is a step that is recorded, and then begun.

A step takes a place among the team's workers. One that finds none waits, and its execution with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gitcto.errors import CtoError
from gitcto.model.agent_records import Fault
from gitcto.model.circuit_rules import PARKED
from gitcto.model.commands import Lease, SingleCommand
from gitcto.model.records import WORKING_STATES, Execution, TaskState
from gitcto.model.step_commands import EndStep, StartStep
from gitcto.model.step_records import SINGLE_WORKER, Step
from gitcto.model.step_rules import running, workers
from gitcto.policy.eligibility import Selection
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.briefing import Briefing
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.core.step_orders import MAIL, going_on, move_of, ordered
from gitcto.runtime.core.step_prompts import reader_prompt, writer_prompt
from gitcto.runtime.loop.mail import PostOffice
from gitcto.runtime.loop.purse import Purse
from gitcto.runtime.loop.selecting import ineligible, selection, wanted
from gitcto.strategies.records import Move, Order, Start, Strategy


class Ordering:
    """Starts the steps of one run's executions. Used by the loop's thread only.

    ``idle`` returns the executions in whose rooms nobody works, ``purse`` knows what agents used.
    """

    def __init__(
        self,
        book: Book,
        jobs: Runner,
        mail: PostOffice,
        purse: Purse,
        idle: Callable[[], tuple[str, ...]],
    ) -> None:
        self.purse = purse
        self._book = book
        self._jobs = jobs
        self._mail = mail
        self._idle = idle
        self._at_work: dict[str, set[int]] = {}
        self._waiting: set[str] = set()
        self._parked: set[str] = set()

    @property
    def attempts(self) -> set[str]:
        """The executions that this run works on."""
        return self._at_work.keys() | self._waiting

    @property
    def parked(self) -> set[str]:
        """The executions whose next step nobody may do before a circuit closes."""
        return self._parked - self._at_work.keys()

    def next_move(self, x: Execution) -> Move:
        """Return what its strategy does about an execution as it stands."""
        return move_of(self.strategy_of(x), x)

    def strategy_of(self, x: Execution) -> Strategy:
        """Return the strategy with which an execution began; raises ``CtoError`` for none."""
        return self._book.world.strategy(x.strategy or SINGLE_WORKER, x.strategy_file)

    def first(self, lease: Lease, epoch: int) -> StartStep | None:
        """Return the command that starts the first step of an execution about to be leased.

        None when nobody may do it now; that nobody may at all is recorded. Raises ``CtoError``
        when its strategy does not exist, or does not begin with any step.
        """
        x = Execution(
            id=lease.execution,
            task=lease.task,
            epoch=epoch,
            attempt=0,
            state=TaskState.DISPATCHING,
            holder=lease.holder,
            base=lease.base,
            provider=lease.provider,
            role=lease.role,
            strategy=lease.strategy,
            strategy_file=lease.strategy_file,
            leased_ms=0,
            expires_ms=lease.expires_ms,
        )
        move = self.next_move(x)
        if isinstance(move, Start) and move.orders:
            chosen = self._chosen(x, move.orders[0])
            if not chosen.provider and not chosen.waits:
                self._book.record(ineligible(x.task, chosen))
            return self._start(x, move.orders[0], chosen) if chosen.provider else None
        raise CtoError(
            f"strategy {lease.strategy} begins with no step", "this is a bug of whoever made it"
        )

    def begin(self, execution: str, briefing: Briefing) -> None:
        """Begin the first step of an execution that was just leased, and those beside it."""
        x = self._book.state.executions[execution]
        self._launch(x, x.steps[0], self._brief(x, x.steps[0], briefing))
        move = self.next_move(x)
        if isinstance(move, Start) and move.orders:
            self.carry_out(x, move.orders)

    def carry_out(
        self,
        x: Execution,
        orders: Sequence[Order],
        before: Sequence[SingleCommand] = (),
        attachments: Mapping[str, str] | None = None,
    ) -> None:
        """Start steps; ``before`` is recorded with the first of them, or alone.

        ``x`` is as it stands once that is recorded.
        """
        if before and not orders:
            self._book.record(*before, attachments=attachments)
        for order in orders:
            if order is not orders[0] and not self._is_due(x, order):
                break
            self._set_down(x, order, before, self._commands(x, order), attachments)
            before, attachments = (), None
            x = self._book.state.executions[x.id]
        self._begin_new(x)

    def _is_due(self, x: Execution, order: Order) -> bool:
        """Tell whether an order still stands, after what came of the one before it."""
        move = self.next_move(x)
        return isinstance(move, Start) and order in move.orders

    def resume(
        self,
        x: Execution,
        writer: Step,
        before: Sequence[SingleCommand],
        attachments: Mapping[str, str] | None,
    ) -> bool:
        """Let a writer that has ended go on, with the letters that came since; tell if it may.

        That is a new process, so it is decided anew whether its provider may do it.
        """
        order = Order(step=writer.name, role=writer.role, seat=writer.seat, why=MAIL)
        chosen = self._chosen(x, order, only=writer.provider)
        if not chosen.provider and not chosen.waits:
            return False
        step = going_on(x, writer, chosen.decision, self._book.world.max_workers)
        begin: tuple[SingleCommand, ...] = (step, *self._mail.unread(x))
        self._set_down(x, order, before, begin if chosen.provider else (), attachments)
        self._begin_new(self._book.state.executions[x.id])
        return True

    def waiting(self, *, stopped: bool) -> list[Execution]:
        """Return those that have a step to start, if one can be: none of a ``stopped`` team."""
        state, limit = self._book.state, self._book.world.max_workers
        if stopped:
            self._waiting = set()
        found = [state.executions[each] for each in sorted(self._waiting | self._parked)]
        working = {x.id for x in found if x.state in WORKING_STATES}
        self._waiting &= working
        self._parked &= working
        if found and workers(state.live()) >= limit:  # but for those about to end
            found = [x for x in found if x.stop or not (running(x) or x.id in self._parked)]
        return [x for x in found if x.id in working]

    def _park(self, x: Execution, order: Order) -> None:
        """Wait with an order that nobody may carry out now, and say so once."""
        if x.id not in self._parked:
            self._parked.add(x.id)
            self._book.listener.note(
                f"{x.task}: step {order.step} waits until one of its providers may be asked again"
            )

    def adopt(self, x: Execution, step: Step, removing: frozenset[str]) -> None:
        """Wait for a step that another run began, also of an execution that lost its lease."""
        turn = self._turn(x, step)
        self._at_work.setdefault(x.id, set()).add(step.number)
        job = self._book.world.rooms.adopt(turn, removing)
        self._jobs.start(f"attempt {turn.run}", job)

    def again(self, x: Execution, step: Step) -> None:
        """Begin a step that was recorded and of which nothing has run yet."""
        self._launch(x, step, self._brief(x, step))

    def back(self, turn: Turn) -> bool:
        """Take note that a step's job is over; tell whether others of its execution go on."""
        numbers = self._at_work.get(turn.execution.id, set())
        numbers.discard(turn.step.number)
        if not numbers:
            self._at_work.pop(turn.execution.id, None)
        return bool(numbers)

    def _set_down(
        self,
        x: Execution,
        order: Order,
        before: Sequence[SingleCommand],
        commands: Sequence[SingleCommand],
        attachments: Mapping[str, str] | None,
    ) -> None:
        """Record an order; one without commands waits."""
        if commands or before:
            self._record(x, before, commands, attachments)
        if not commands:
            self._park(x, order)

    def _record(
        self,
        x: Execution,
        before: Sequence[SingleCommand],
        commands: Sequence[SingleCommand],
        attachments: Mapping[str, str] | None,
    ) -> None:
        refusal = self._book.record(*before, *commands, attachments=attachments)
        if refusal is not None and before:
            self._book.record(*before, attachments=attachments)
        if refusal is not None and refusal.code in PARKED:
            self._parked.add(x.id)
        elif refusal is not None or any(isinstance(each, EndStep) for each in commands):
            self._waiting.add(x.id)
        self._book.world.effects.crash_point("step.recorded")

    def _begin_new(self, x: Execution) -> None:
        for step in running(x):
            if step.number not in self._at_work.get(x.id, set()):
                self._launch(x, step, self._brief(x, step))

    def _launch(self, x: Execution, step: Step, briefing: Briefing) -> None:
        turn = self._turn(x, step)
        self._waiting.discard(x.id)
        self._parked.discard(x.id)
        self._at_work.setdefault(x.id, set()).add(step.number)
        job = self._book.world.rooms.begin(turn, briefing, self._idle())
        self._jobs.start(f"attempt {turn.run}", job)

    def _turn(self, x: Execution, step: Step) -> Turn:
        return Turn(task=self._book.state.tasks[x.task], execution=x, step=step)

    def _brief(self, x: Execution, step: Step, first: Briefing | None = None) -> Briefing:
        """Return what a step is told; ``first`` is what its task's worker is told at the lease."""
        strategy, turn, rooms = self.strategy_of(x), self._turn(x, step), self._book.world.rooms
        if not step.edits:
            changes = {seat: self.change_id(x, commit) for seat, commit in step.reads.items()}
            return Briefing(reader_prompt(strategy, turn, changes, rooms.patches(turn)))
        if first is None:
            news = self._mail.news(turn.task, x.id)
            first = rooms.brief_again(turn.task, news.entries).along(news.letters)
        return replace(first, prompt=writer_prompt(strategy, turn, first.prompt))

    def change_id(self, x: Execution, commit: str) -> str:
        """Return the id of the change that a commit of an execution is."""
        bench = self._book.world.bench
        return bench.change_id(x.base, commit, bench.changes(x.base, commit))

    def _commands(self, x: Execution, order: Order) -> tuple[SingleCommand, ...]:
        """Return the commands of an order; none while nobody may carry it out."""
        chosen = self._chosen(x, order)
        if chosen.provider:
            unread = self._mail.unread(x) if order.edits else ()
            return (self._start(x, order, chosen), *unread)
        if chosen.waits:
            return ()
        start = self._start(x, order, chosen)
        fault = Fault(kind="refused", detail=chosen.decision.reason, retryable=False)
        end = EndStep(execution=x.id, epoch=x.epoch, number=start.number, fault=fault)
        return (start, end)

    def _start(self, x: Execution, order: Order, chosen: Selection) -> StartStep:
        most = self._book.world.max_workers
        return ordered(x, order, chosen.provider, chosen.decision, most)

    def _chosen(self, x: Execution, order: Order, only: str = "") -> Selection:
        """Return who carries out an order, by policy; with ``only`` nobody else is looked for."""
        return selection(
            self._book, wanted(self._book, x, self.strategy_of(x), order, only), x.base
        )
