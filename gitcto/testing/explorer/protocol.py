"""What can happen next, to whom: every step of every state, in no order that anybody may rely on.

A clone says everything it could ever say, at any time and as often as it likes, since messages get
lost, come late and come twice; only what it must see first, it has seen. Clocks are not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from gitcto.model import commands as cmd
from gitcto.model.records import LIVE_STATES, Execution, TaskState
from gitcto.testing.explorer import world as w
from gitcto.testing.explorer.ledgers import NOW_MS, Ledgers, Step
from gitcto.testing.explorer.world import Clone, Setting, World

LATE_MS = 1_000_000
"""When a lease of another clone is over."""

Key = tuple[object, ...]
Command = Callable[[], cmd.Command]
"""Makes a command, when nobody has made it of this ledger before."""


class Next(NamedTuple):
    """A step and where it leads; ``wrong`` is what it breaks."""

    label: Key
    world: World
    wrong: tuple[str, ...] = ()


class Protocol:
    """The steps of one setting, over the product's own ``decide``."""

    def __init__(self, setting: Setting, ledgers: Ledgers) -> None:
        self.setting = setting
        self.ledgers = ledgers
        self._known: dict[tuple[int, Key], Step] = {}

    def first(self) -> World:
        """Return the state in which a team was made and its plan imported."""
        made = self.ledgers.record(0, cmd.CreateTeam(team="main", target=w.TARGET))
        plan = cmd.ImportPlan(source="s", digest="d", tasks=self.setting.tasks)
        return World(
            ledger=self.ledgers.record(made.after, plan).after,
            target=(w.START,),
            started=(),
            clones=(Clone(),) * self.setting.clones,
            crashes=self.setting.crashes,
            strangers=self.setting.strangers,
        )

    def steps(self, at: World) -> Iterator[Next]:
        """Yield every step from a state."""
        for number, clone in enumerate(at.clones):
            if not clone.up:
                yield Next(("restart", number), _with(at, number, Clone(run=clone.run + 1)))
                continue
            yield from self._recoveries(at, number) or self._work(at, number)
            if at.crashes:
                dead = _with(at, number, Clone(run=clone.run, up=False))
                yield Next(("crash", number), dead._replace(crashes=at.crashes - 1))
        if at.strangers:
            moved = (*at.target, f"stranger {at.strangers}")
            yield Next(
                ("a stranger moves the target",),
                at._replace(target=moved, strangers=at.strangers - 1),
            )

    def _recoveries(self, at: World, number: int) -> list[Next]:
        """Return what a run does before all else: it takes over what an earlier one here held."""
        me = w.holder(number, at.clones[number].run)
        for x in self.ledgers.nodes[at.ledger].state.live():
            if _clone_of(x) == number and x.holder != me:
                label = ("take over", x.id, me)
                return list(self._recorded(at, label, partial(w.taken, x, me)))
        return []

    def _work(self, at: World, number: int) -> Iterator[Next]:
        yield from self._leases(at, number)
        yield from self._mistakes(at)
        yield from self._workers(at, number)
        yield from self._endings(at, number)
        yield from self._landings(at, number)
        if self.setting.shared:
            yield from self._others(at, number)

    def _leases(self, at: World, number: int) -> Iterator[Next]:
        state = self.ledgers.nodes[at.ledger].state
        who = (number, at.clones[number].run)
        for (task_id, task), most in zip(state.tasks.items(), self.setting.epochs, strict=True):
            if task.epoch < most:
                command = partial(w.lease, task_id, task.epoch + 1, who, self.setting.seats)
                yield from self._recorded(at, ("lease", task_id, *who), command)

    def _mistakes(self, at: World) -> Iterator[Next]:
        """Say what is never true: old tokens, stale heartbeats, orders about what is over."""
        state = self.ledgers.nodes[at.ledger].state
        for x in state.live():
            yield from self._recorded(at, ("old token", x.id), partial(w.with_old_token, x))
            yield from self._recorded(at, ("stale heartbeat", x.id), partial(w.stale, x))
            if self.setting.outside and x.state is TaskState.EXECUTING and not x.outside:
                yield from self._recorded(at, ("outside", x.id), partial(w.outside, x))
        for name, task in state.tasks.items():
            if task.state is TaskState.DONE:
                yield from self._recorded(at, ("ask again", name), partial(w.asked, name))
            if task.state is not TaskState.QUEUED:
                yield from self._recorded(at, ("block", name), partial(w.blocked, name))

    def _workers(self, at: World, number: int) -> Iterator[Next]:
        """Start a worker; what became of it is told at any time after that."""
        executions = self.ledgers.nodes[at.ledger].state.executions
        me = w.holder(number, at.clones[number].run)
        for x in executions.values():
            if w.origin(x.id) != number:
                continue
            if x.id in at.started:
                yield from self._recorded(at, ("record start", x.id), partial(w.started, x))
                yield from self._recorded(at, ("record end", x.id), partial(w.worked, x))
            elif x.state is TaskState.DISPATCHING and x.holder == me:
                there = tuple(sorted((*at.started, x.id)))
                yield Next(("start", x.id), at._replace(started=there))

    def _endings(self, at: World, number: int) -> Iterator[Next]:
        """Renew, or give up: what a clone holds, and what it held once."""
        for x in self.ledgers.nodes[at.ledger].state.executions.values():
            if number not in {_clone_of(x), w.origin(x.id)}:
                continue
            if self.setting.shared and x.expires_ms == w.LEASE_MS:
                yield from self._recorded(at, ("renew", x.id), partial(w.renewed, x))
            yield from self._recorded(at, ("fail", x.id), partial(w.ended, x))

    def _landings(self, at: World, number: int) -> Iterator[Next]:
        clone = at.clones[number]
        if clone.job is not None:
            yield from self._of_job(at, number, clone.job)
            return
        me = w.holder(number, clone.run)
        held = [x for x in self.ledgers.nodes[at.ledger].state.live() if x.holder == me]
        ready = [x for x in held if x.state is TaskState.VALIDATING]
        groups = [(x,) for x in ready] + ([tuple(ready)] if len(ready) > 1 else [])
        for group in groups:
            names = tuple(x.id for x in group)
            for old in at.target[-2:]:  # what it knows of the target may be old
                yield from self._intended(at, number, (names, old), group)
            unproved = partial(w.intents, group, at.target[-1], me, "another tree")
            yield from self._recorded(at, ("land unproved", names, me), unproved)
        for new in sorted({x.landing.new for x in held if x.landing is not None}):
            there = "moved" if new in at.target else "pending"
            job = clone._replace(job=(new, there))
            yield Next(("go on landing", number, new), _with(at, number, job))

    def _intended(
        self,
        at: World,
        number: int,
        what: tuple[tuple[str, ...], str],
        group: tuple[Execution, ...],
    ) -> Iterator[Next]:
        clone, (names, old) = at.clones[number], what
        me = w.holder(number, clone.run)
        command = partial(w.intents, group, old, me)
        new = w.commits(group, old)[-1]
        for found in self._recorded(at, ("intend", names, old, me), command):
            job = clone._replace(job=(new, "pending"))
            yield found._replace(world=_with(found.world, number, job))

    def _of_job(self, at: World, number: int, job: tuple[str, str]) -> Iterator[Next]:
        new, phase = job
        clone = at.clones[number]
        group = self._group(at, new)
        me = w.holder(number, clone.run)
        if phase == "pending":
            yield self._moved(at, number, group)
            return
        if phase == "moved":
            done, label = partial(w.all_confirmed, group, me), ("confirm", new, me)
        else:
            done, label = partial(w.all_abandoned, group), ("abandon", new, me)
        free = _with(at, number, clone._replace(job=None))
        found = list(self._recorded(free, label, done))
        yield from found or [Next((*label, "refused"), free)]

    def _moved(self, at: World, number: int, group: tuple[Execution, ...]) -> Next:
        """Move the target by one swap; where it is shared, only together with the leases."""
        clone = at.clones[number]
        assert clone.job is not None
        new, _ = clone.job
        label = ("move", number, new)
        landing = group[0].landing if group else None
        after, fits = at.ledger, landing is not None and at.target[-1] == landing.old
        if self.setting.shared and fits:
            step = self._step(at.ledger, ("renew for", new), partial(w.all_renewed, group))
            fits = set(step.kinds) == {"lease.renewed"}
            after = step.after if fits else at.ledger
        if not fits:
            return Next((*label, "too late"), _with(at, number, clone._replace(job=(new, "not"))))
        commits = tuple(x.landing.commit for x in group if x.landing is not None)
        there = _with(at, number, clone._replace(job=(new, "moved")))
        return Next(label, there._replace(target=(*at.target, *commits), ledger=after))

    def _others(self, at: World, number: int) -> Iterator[Next]:
        """Look at another clone's lease, which is over; later, act on what was seen."""
        clone = at.clones[number]
        if clone.look is not None:
            yield from self._given_up(at, number, clone.look)
            return
        for x in self.ledgers.nodes[at.ledger].state.live():
            if _clone_of(x) != number:
                there = x.landing is not None and x.landing.new in at.target
                looked = clone._replace(look=(x.id, x.expires_ms, there))
                yield Next(("look", number, x.id), _with(at, number, looked))

    def _given_up(self, at: World, number: int, look: tuple[str, int, bool]) -> Iterator[Next]:
        name, lapsed_ms, there = look
        clone = at.clones[number]
        me = w.holder(number, clone.run)
        x = self.ledgers.nodes[at.ledger].state.executions[name]
        group = self._group(at, x.landing.new) if x.landing is not None else (x,)
        ends = partial(w.given_up, group, me, lapsed_ms, landed=there)
        free = _with(at, number, clone._replace(look=None))
        label = ("give up", name, lapsed_ms, there, me)
        found = list(self._recorded(free, label, ends, LATE_MS))
        yield from found or [Next((*label, "refused"), free)]

    def _group(self, at: World, new: str) -> tuple[Execution, ...]:
        live = self.ledgers.nodes[at.ledger].state.live()
        return tuple(x for x in live if x.landing is not None and x.landing.new == new)

    def _recorded(
        self, at: World, label: Key, command: Command, ts: int = NOW_MS
    ) -> Iterator[Next]:
        """Yield what a command leads to, when it changes anything."""
        step = self._step(at.ledger, label, command, ts)
        if step.after != at.ledger or step.wrong:
            yield Next(label, at._replace(ledger=step.after), step.wrong)

    def _step(self, ledger: int, label: Key, command: Command, ts: int = NOW_MS) -> Step:
        known = self._known.get((ledger, label))
        if known is None:
            known = self._known[ledger, label] = self.ledgers.record(ledger, command(), ts)
        return known

    def finished(self, at: World) -> bool:
        """Tell whether nothing is left to do: every task ended, or has had all its attempts.

        One that waits for a task that did not get done may wait.
        """
        tasks = self.ledgers.nodes[at.ledger].state.tasks
        for task, most in zip(tasks.values(), self.setting.epochs, strict=True):
            free = all(tasks[name].state is TaskState.DONE for name in task.spec.depends_on)
            waits = task.state is TaskState.QUEUED and free and task.epoch < most
            if waits or task.state in LIVE_STATES:
                return False
        return True


def _clone_of(x: Execution) -> int:
    return int(x.holder.split("/")[1])


def _with(at: World, number: int, clone: Clone) -> World:
    clones = (*at.clones[:number], clone, *at.clones[number + 1 :])
    return at._replace(clones=clones)
