"""Dispatching: which task starts next, and all that is recorded before its first step begins."""

from __future__ import annotations

from gitcto.model.amending import amended
from gitcto.model.circuit_rules import PARKED
from gitcto.model.commands import BlockTask, Lease
from gitcto.model.records import WORKING_STATES, Decision, Execution, Task
from gitcto.model.schedule import choose
from gitcto.model.step_rules import workers
from gitcto.policy.budget_rule import may_wait
from gitcto.policy.decisions import Attempt, decide_dispatch
from gitcto.runtime.core.book import Book
from gitcto.runtime.loop.mail import PostOffice
from gitcto.runtime.loop.ordering import Ordering
from gitcto.runtime.loop.parking import Parking


class Dispatching:
    """Leases tasks of one team, and begins their first steps. Used by the loop's thread only."""

    def __init__(self, book: Book, mail: PostOffice, ordering: Ordering, parking: Parking) -> None:
        self._book = book
        self._parking = parking
        self._mail = mail
        self._ordering = ordering
        self._short = ""

    def dispatch(self) -> None:
        """Start what can be started now."""
        world, state = self._book.world, self._book.state
        now = world.effects.now_ms()
        late = {state.executions[each].task for each in self._ordering.attempts}
        ready = [task for task in self._startable(now) if task.spec.id not in late]
        chosen = choose(ready, self.working(), now, world.max_workers)
        if chosen and self._has_space():
            for task in chosen:
                if not self._parking.holds(task):
                    self._start(task, now)

    def working(self) -> list[Execution]:
        """Return the executions that have a worker, or are about to."""
        return [x for x in self._book.state.live() if x.state in WORKING_STATES]

    def may_start(self) -> bool:
        """Tell whether there is a task to start, and a worker for it."""
        world = self._book.world
        free = workers(self.working()) < world.max_workers
        return free and bool(self._startable(world.effects.now_ms()))

    def _startable(self, now_ms: int) -> list[Task]:
        """Return what nothing keeps from being started; none would go the way of a parked one."""
        state = self._book.state
        parked = [state.tasks[state.executions[each].task] for each in self._ordering.parked]
        return self._parking.startable(now_ms, beside=parked)

    def waits_for_space(self) -> bool:
        """Tell whether only the disk is in the way; what ended meanwhile may have made space."""
        return bool(self._short and self._book.world.rooms.shortage(again=True))

    def _has_space(self) -> bool:
        """Tell whether the disk allows another room; say so once when it does not."""
        before, self._short = self._short, self._book.world.rooms.shortage()
        if self._short and not before:
            self._book.listener.note(
                f"nothing new is started: {self._short}; `git cto clean` shows what may go"
            )
        return not self._short

    def _start(self, task: Task, now_ms: int) -> None:
        book, world, spec = self._book, self._book.world, task.spec
        execution_id = world.effects.new_id()
        decision = self._decide(task, execution_id)
        if decision.verdict == "deny" and may_wait(decision):
            self._parking.hold_all(decision.reason)
            return
        if decision.verdict == "deny":
            book.record(BlockTask(task=spec.id, reason="denied", decision=decision))
            return
        lease = self._lease(task, execution_id, decision, now_ms)
        first = self._ordering.first(lease, task.epoch + 1)
        if first is None:
            if spec.id in book.state.ready:
                self._parking.hold(task)
            return
        news = self._mail.news(task, execution_id)
        told = world.rooms.brief(task, execution_id, decision, news.entries)
        if isinstance(told, Decision):
            book.record(BlockTask(task=spec.id, reason="denied", decision=told))
            return
        if told.damaged:
            book.listener.note(told.damaged)
        refusal = book.record(
            amended(lease, provider=first.provider),
            first,
            told.command,
            *news.deliveries,
            attachments={**told.attachments, **world.strategy_text(lease.strategy)},
        )
        if refusal is not None:
            if refusal.code in PARKED:
                self._parking.hold(task)
            return
        world.effects.crash_point("attempt.leased")
        self._ordering.begin(execution_id, told.briefing.along(news.letters))

    def _lease(self, task: Task, execution_id: str, decision: Decision, now_ms: int) -> Lease:
        book, world, spec = self._book, self._book.world, task.spec
        role = world.policy.roles[spec.role]
        name = spec.strategy or role.strategy
        return Lease(
            task=spec.id,
            execution=execution_id,
            base=book.tip(),
            provider=role.provider,
            role=spec.role,
            workspace=role.workspace,
            holder=world.holder,
            expires_ms=now_ms + world.policy.lease_s * 1000,
            max_workers=world.max_workers,
            decision=decision,
            nonce=world.effects.new_id(),
            strategy=name,
            strategy_file=world.strategy(name).file,
        )

    def _decide(self, task: Task, execution_id: str) -> Decision:
        world = self._book.world
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
            live=workers(self.working()),
            isolation=world.level,
            taken=self._ordering.purse.taken(task),
        )
