"""What a run starts nothing of for now: tasks behind parked providers, budgets and many faults.

A task that is held stays in the queue. It is looked at again when the team has changed, or when the
time of a circuit or of a day's budget is over.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitcto.model.body import Body
from gitcto.model.circuit_records import PASSING
from gitcto.model.events import ExecutionFailed
from gitcto.model.records import Task, Team
from gitcto.model.spending import DAY_MS
from gitcto.runtime.core.book import Book

_NEVER = 1 << 62


class Parking:
    """Keeps the tasks that one run does not start now. Used by the loop's thread only.

    With ``patient`` the run waits for the time at which a provider or a day's budget lets it go on.
    """

    def __init__(self, book: Book, *, patient: bool = False) -> None:
        self._book = book
        self._patient = patient
        self._held: set[tuple[str, str]] = set()
        self._budget = ""
        self._team: Team | None = None
        self._until_ms = _NEVER
        self._faults = 0
        self._said: set[str] = set()
        book.followers.append(self._count)

    def startable(self, now_ms: int, beside: Iterable[Task] = ()) -> list[Task]:
        """Return the ready tasks that nothing keeps from being started.

        ``beside`` are tasks under way that wait for a provider: others of their kind would, too.
        """
        self._look(now_ms)
        if self._budget or self._worn_out:
            return []
        ready, held = self._book.state.ready.values(), self._held | set(map(_kind, beside))
        return [t for t in ready if t.not_before_ms <= now_ms and _kind(t) not in held]

    def hold(self, task: Task) -> None:
        """Start no task of this kind until something has changed: its providers rest."""
        self._held.add(_kind(task))

    def hold_all(self, why: str) -> None:
        """Start nothing until something has changed: a budget of the team is used up."""
        self._budget = why
        self._say(why)

    def holds(self, task: Task) -> bool:
        """Tell whether a task must wait for what was found out since it was startable."""
        return bool(self._budget) or _kind(task) in self._held

    def waits(self, now_ms: int, *, also: bool = False) -> bool:
        """Tell whether time alone brings more to do, and this run is to wait for it.

        ``also`` is whether something besides the tasks in the queue is held.
        """
        self._look(now_ms)
        ready = self._book.state.ready.values()
        if (not ready and not also) or self._worn_out:
            return False
        backing_off = [t for t in ready if t.not_before_ms > now_ms and _kind(t) not in self._held]
        if backing_off and not self._budget:
            return True
        return self._patient and self._until_ms < _NEVER

    def reasons(self, *, also: bool) -> tuple[str, ...]:
        """Return why work is left that could go on otherwise, one line each.

        ``also`` is whether something besides the tasks in the queue waits for a provider.
        """
        team = self._book.state.team
        if team is None or not (self._book.state.ready or also):
            return ()
        rests = team.circuits if self._held or also else {}
        parked = (f"{name} is parked ({c.reason}: {c.detail})" for name, c in rests.items())
        return (*parked, *filter(None, (self._budget, self._worn_out)))

    @property
    def _worn_out(self) -> str:
        most = self._book.world.policy.retries.faults_per_run
        if self._faults < most:
            return ""
        why = f"providers failed {self._faults} times in this run (retries.provider_faults_per_run)"
        self._say(why)
        return why

    def _say(self, why: str) -> None:
        if why not in self._said:
            self._said.add(why)
            self._book.listener.note(f"nothing new is started: {why}")

    def _count(self, body: Body) -> None:
        self._faults += isinstance(body, ExecutionFailed) and body.fault in PASSING

    def _look(self, now_ms: int) -> None:
        team = self._book.state.team
        if team is self._team and now_ms < self._until_ms:
            return
        self._team, self._budget = team, ""
        self._held.clear()
        circuits = team.circuits.values() if team else ()
        times = [c.until_ms for c in circuits if c.until_ms > now_ms]
        if self._book.world.policy.budgets.day.limited:
            times.append((now_ms // DAY_MS + 1) * DAY_MS)
        self._until_ms = min(times, default=_NEVER)


def _kind(task: Task) -> tuple[str, str]:
    """Return what two tasks share that are done by the same providers."""
    return task.spec.role, task.spec.strategy
