"""The leases of this clone: renewed while there is life, ended on silence, and who must stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gitcto.model.commands import RenewLease
from gitcto.model.lease_commands import ExpireLease
from gitcto.model.lease_rules import newer
from gitcto.model.records import LIVE_STATES, Execution, TaskState
from gitcto.model.vigil import Vigil, closely, is_over, looked, together
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.seats import all_runs, runs, under_way
from gitcto.runtime.loop.others import is_own

PATIENCE_S = 20.0
"""How long a supervisor has to end its worker that was asked to: twice the grace, and the sweep."""

_LOOKS_A_LIMIT = 8
_LOOK_S = 5.0
"""How often signs of life are looked at, at least: as often as a supervisor's heart beats."""


class Leases:
    """Keeps the leases of one run. All times are the monotonic clock's."""

    def __init__(self, book: Book) -> None:
        policy = book.world.policy
        self._book = book
        self._limit_ms = 1000 * max(policy.lease_s, policy.limits.idle_s)
        self._vigils: dict[str, Vigil] = {}
        self._looked_s = book.world.effects.monotonic_s()
        self._asked_s: dict[str, float] = {}

    def keep(self) -> None:
        """Renew what lives and end what does not.

        A worker's lease is over when nothing of it moved for the lease *and* the idle limit. The
        supervisor ends who is idle; this is for when it does not, because it hangs itself.
        """
        own = [x for x in self._book.state.live() if is_own(self._book.world, x)]
        over = self._look(own)
        self._renew(x for x in own if x.id not in over)
        for x in own:
            if x.id in over:
                self._expire(x)

    def stop(self, attempts: Iterable[str]) -> None:
        """End the workers of attempts: asked first, cut off when their supervisors do not answer.

        Asking again changes nothing.
        """
        self._end(attempts, self._book.world.rooms.stop)

    def interrupt(self, attempts: Iterable[str]) -> None:
        """Do the same in haste: a person waits for it."""
        self._end(attempts, self._book.world.rooms.interrupt)

    def _end(self, attempts: Iterable[str], ask: Callable[[str], None]) -> None:
        now_s, rooms = self._book.world.effects.monotonic_s(), self._book.world.rooms
        found = (self._book.state.executions[each] for each in sorted(attempts))
        named = (runs(x) if x.state in LIVE_STATES else all_runs(x) for x in found)
        for run in (run for some in named for run in some):
            if run not in self._asked_s:
                self._asked_s[run] = now_s
                ask(run)
            elif now_s - self._asked_s[run] > PATIENCE_S:
                self._asked_s[run] = now_s
                rooms.cut_off(run)

    def unwanted(self, attempts: Iterable[str]) -> set[str]:
        """Return the attempts whose workers are to be ended: by a person, a budget, or as fenced.

        Who lost its lease to nobody in particular may finish, as long as that may still be adopted.
        """
        found = ((each, self._book.state.executions[each]) for each in attempts)
        return {each for each, x in found if self._is_over(x)}

    def _is_over(self, x: Execution) -> bool:
        return bool(x.stop or x.over or x.outside_blocks or self._is_fenced(x))

    def _is_fenced(self, x: Execution) -> bool:
        if x.state in LIVE_STATES:
            return False
        task = self._book.state.tasks[x.task]
        may_finish = x.reason == "holder_lost" and self._book.world.policy.retries.adopt_late
        return not may_finish or bool(newer(self._book.state, x, task)[0])

    def _look(self, own: list[Execution]) -> set[str]:
        """Look at all workers, if it is time to; return those of which nothing moved."""
        rooms, now_s = self._book.world.rooms, self._book.world.effects.monotonic_s()
        elapsed_ms = int(1000 * (now_s - self._looked_s))
        if elapsed_ms < min(1000 * _LOOK_S, self._limit_ms / _LOOKS_A_LIMIT):
            return set()
        self._looked_s = now_s
        beats = rooms.heartbeats()
        seen: dict[str, Vigil] = {}
        for x in own:
            alive = [each for each in under_way(x) if rooms.observe(each[0]).alive]
            if x.state is not TaskState.EXECUTING or not alive:
                continue  # the run itself is at work on it
            before = self._vigils.get(x.id)
            files = closely(before, self._limit_ms)
            beat = beats.get(x.id, 0)
            signs = together([rooms.signs(*each, beat, files=files) for each in alive])
            seen[x.id] = looked(before, signs, elapsed_ms, self._limit_ms)
        self._vigils = seen
        return {each for each, vigil in seen.items() if is_over(vigil, self._limit_ms)}

    def _renew(self, alive: Iterable[Execution]) -> None:
        world = self._book.world
        now, lease_ms = world.effects.now_ms(), world.policy.lease_s * 1000
        due = [
            RenewLease(execution=x.id, epoch=x.epoch, expires_ms=now + lease_ms)
            for x in alive
            if x.expires_ms - now < lease_ms // 2
        ]
        if due:
            self._book.record(*due)

    def _expire(self, x: Execution) -> None:
        """Record that a lease is over, and only then end its worker."""
        world, vigil = self._book.world, self._vigils.pop(x.id)
        refusal = self._book.record(
            ExpireLease(
                execution=x.id,
                epoch=x.epoch,
                quiet_ms=vigil.quiet_ms,
                limit_ms=self._limit_ms,
                signs=vigil.signs,
                max_attempts=world.policy.retries.max_attempts,
            )
        )
        if refusal is None:
            world.effects.crash_point("lease.expired")
            for run in runs(x):
                world.rooms.cut_off(run)
