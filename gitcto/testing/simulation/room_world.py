"""The rooms of one run's world: what is durable stays on the machine, jobs die with the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gitcto.context.records import Entry
from gitcto.errors import CtoError
from gitcto.model.commands import RecordPreserved
from gitcto.model.lease_events import Signs
from gitcto.model.records import Decision, Execution, Task
from gitcto.runtime import worker_context
from gitcto.runtime.briefing import Briefing, Kept
from gitcto.runtime.jobs import Job, Post
from gitcto.runtime.messages import (
    NO_WORK,
    NotStarted,
    RoomRemoved,
    Work,
    WorkerFinished,
    WorkerStarted,
)
from gitcto.runtime.outside_record import Outside
from gitcto.runtime.worker_context import Desk
from gitcto.runtime.worker_values import LOST, Exit, Observed
from gitcto.runtime.world import Rooms
from gitcto.testing.simulation.ledger import Told
from gitcto.testing.simulation.rooms import OK, Room

if TYPE_CHECKING:
    from gitcto.effects import Effects
    from gitcto.testing.simulation.node import Node

_PREFIX = "refs/cto/teams/sim/"


class MadeUpRooms(Rooms):
    """Rooms on one machine; see :class:`gitcto.testing.simulation.rooms.Room`."""

    def __init__(self, node: Node, effects: Effects) -> None:
        self._node = node
        self._effects = effects
        told = Told(node.chain, node.clone)
        self._desk = Desk(blobs=node.blobs, ledger=told, policy=node.policy)

    def brief(
        self, task: Task, execution: str, decision: Decision, news: tuple[Entry, ...]
    ) -> Kept | Decision:
        """Return what a task's next worker is told, or the denial when that is too much."""
        return worker_context.brief(self._desk, task, execution, decision, news)

    def said(self, task: Task, execution: Execution, summary: str) -> Kept | None:
        """Return what the next worker is told with what this one said at its end, if anything."""
        return worker_context.said(self._desk, task, execution, summary)

    def begin(
        self, task: Task, execution: Execution, briefing: Briefing, idle: tuple[str, ...]
    ) -> Job:
        """Return the job of a new attempt."""
        node = self._node

        def pin(post: Post) -> None:
            if node.faults.strikes("not_started"):
                post(self._not_started(execution, "the provider is not there"))
                return
            node.faults.step("attempt.pin")
            node.refs.setdefault(_pin(execution.id), execution.base)
            self._effects.crash_point("attempt.pinned")
            node.later(node.faults.rng.uniform(20, 3_000), lambda: make(post))

        def make(post: Post) -> None:
            if node.disk_full:
                post(self._not_started(execution, "no space left on device"))
                return
            room = Room(execution=execution.id, base=execution.base)
            node.rooms[execution.id] = room
            room.files = dict(node.history.files(execution.base))
            self._effects.crash_point("room.files")
            node.later(node.faults.rng.uniform(20, 1_000), lambda: spawn(post, room))

        def spawn(post: Post, room: Room) -> None:
            self._effects.crash_point("attempt.room")
            node.workers.launch(room, node.writes(task, execution))
            node.await_worker(room, lambda: begun(post, room))

        def begun(post: Post, room: Room) -> None:
            if room.started is not None:
                post(WorkerStarted(execution=execution, started=room.started))
            node.await_end(room, lambda: post(self._finished(task, execution)))

        return pin

    def _not_started(self, execution: Execution, why: str) -> NotStarted:
        return NotStarted(execution=execution, reason="not_started", detail=why, work=NO_WORK)

    def adopt(self, task: Task, execution: Execution, removing: frozenset[str]) -> Job:
        """Return the job that continues an attempt which another orchestrator began."""
        del removing
        node = self._node

        def wait(post: Post) -> None:
            room = node.rooms.get(execution.id)
            if room is None:
                post(self._finished(task, execution))
            else:
                node.await_end(room, lambda: post(self._finished(task, execution)))

        return wait

    def _finished(self, task: Task, execution: Execution) -> WorkerFinished:
        room = self._node.rooms.get(execution.id)
        ended = room.exit if room and room.exit else Exit(code=LOST, cause="lost")
        work = self.take_up(task, execution)
        why = "" if work else "nested_repository" if room and room.files else "no_workspace"
        return WorkerFinished(
            execution=execution,
            exit=ended,
            report=room.report if room else OK,
            work=work,
            refusal=why,
            refusal_detail=why,
            outside=room.outside if room else Outside(),
        )

    def observe(self, execution: str) -> Observed:
        """Return what is recorded of a worker."""
        room = self._node.rooms.get(execution)
        return room.observed if room else Observed(started=None, exit=None, alive=False)

    def heartbeats(self) -> Mapping[str, int]:
        """Return no heartbeats: the signs of life have them."""
        return {}

    def signs(self, execution: str, beat_ms: int, *, files: bool) -> Signs:
        """Look at a worker's signs of life: they move, unless it hangs with its supervisor."""
        room, node = self._node.rooms[execution], self._node
        beat = 0 if room.hung else node.clock.ms
        return Signs(supervised=True, beat_ms=beat, written_ns=1 if files else 0)

    def cut_off(self, execution: str) -> None:
        """Kill the supervisor of a worker that does not answer."""
        room = self._node.rooms.get(execution)
        if room is not None and room.launched:
            self._node.workers.finish(room, Exit(code=LOST, cause="lost"))

    def move_in(self, execution: Execution) -> None:
        """Pin the late work that an execution adopted."""
        self._node.faults.step("late.pin")
        self._node.refs.setdefault(_pin(execution.id), execution.work)

    def stop(self, execution: str) -> None:
        """Ask for the end of a worker."""
        room = self._node.rooms.setdefault(execution, Room(execution=execution, base=""))
        self._node.workers.stop(room)

    def interrupt(self, execution: str) -> None:
        """Ask for the end of a worker; nobody here is deaf."""
        self.stop(execution)

    def end(self, execution: str) -> Observed:
        """End a worker and wait until nothing of it runs."""
        room = self._node.rooms.get(execution)
        if room is not None and room.launched:
            self._node.workers.finish(room, Exit(code=130, cause="stopped"))
        return self.observe(execution)

    def take_up(self, task: Task, execution: Execution) -> Work | None:
        """Make a commit of what is in a room."""
        node = self._node
        room = node.rooms.get(execution.id)
        if room is None or room.files is None or room.refused:
            return None
        tree = node.history.tree(room.files)
        self._effects.crash_point("attempt.harvested")
        commit = node.history.commit(
            tree, execution.base, f"attempt {task.spec.id}", (execution.id, task.spec.id)
        )
        node.refs[_pin(execution.id)] = commit
        self._effects.crash_point("attempt.kept")
        changed = len(node.history.changes(execution.base, tree))
        return Work(commit=commit, tree=tree, changed=changed)

    def take_up_unseen(self, task: Task, execution: Execution) -> Work | None:
        """Return what a worker left that nobody saw start."""
        room = self._node.rooms.get(execution.id)
        if room is None or not room.launched or room.files is None:
            return NO_WORK
        return self.take_up(task, execution)

    def preserve(self, execution: Execution, work: Work | None) -> RecordPreserved | None:
        """Keep work that will not land under a ref; return the command that records it."""
        if work is None or not work.commit or not work.changed:
            return None
        node, ref = self._node, _kept(execution.id)
        node.faults.step("work.preserve")
        held = node.refs.setdefault(ref, work.commit)
        if not node.history.contains(held, work.commit):
            raise CtoError(f"{ref} holds {held}", "rename that ref")
        self._effects.crash_point("work.preserved")
        return RecordPreserved(execution=execution.id, ref=ref, commit=held)

    def unreachable_work(self, task: Task, execution: Execution) -> str:
        """Return why an ended execution's room must stay, or nothing."""
        room = self._node.rooms.get(execution.id)
        if room is None or room.files is None:
            return ""
        work = self.take_up(task, execution)
        if work is None:
            return "the room holds a repository"
        if not work.changed or work.tree == execution.tree:
            return ""
        held = self._node.refs.get(_kept(execution.id), "")
        return "" if self._node.history.contains(held, work.commit) else "no ref keeps its work"

    def removal(self, execution: Execution) -> Job:
        """Return the job that drops a settled execution's ref, and removes its room and records."""
        node, at = self._node, execution.id

        def unpin(post: Post) -> None:
            node.faults.step("work.unpin")
            node.refs.pop(_pin(at), None)
            self._effects.crash_point("tips.asked")
            node.later(node.faults.rng.uniform(5, 500), lambda: put_aside(post))

        def put_aside(post: Post) -> None:
            room = node.rooms.get(at)
            if room is not None:
                node.removed(room)
                room.files = None
            self._effects.crash_point("room.aside")
            node.later(node.faults.rng.uniform(5, 500), lambda: drop(post))

        def drop(post: Post) -> None:
            self._effects.crash_point("room.removed")
            node.rooms.pop(at, None)
            post(RoomRemoved(execution=at))

        return unpin

    def leftovers(self) -> tuple[str, ...]:
        """Return all executions that left a room, records or a ref."""
        pins = (
            name.removeprefix(_pin("")) for name in self._node.refs if name.startswith(_pin(""))
        )
        return tuple(sorted({*pins, *self._node.rooms}))

    def idle(self, busy: frozenset[str]) -> tuple[str, ...]:
        """Return the executions whose rooms are there and are not among the ``busy`` ones."""
        return tuple(sorted(self._node.rooms.keys() - busy))

    def where(self, execution: str) -> str:
        """Return where a room is."""
        return f"{self._node.name}/{execution}"

    def end_strays(self) -> None:
        """End nothing: what a made-up run starts dies with it."""

    def changed_outside(self, execution: Execution) -> Outside | None:
        """Return what a worker did outside its room."""
        room = self._node.rooms.get(execution.id)
        return room.outside if room else None

    def forget_outside(self, execution: Execution) -> None:
        """Forget nothing: nothing was kept."""

    def shortage(self, *, again: bool = False) -> str:
        """Return why no room may be made, or nothing."""
        del again
        return "the disk is full" if self._node.disk_full else ""


def _pin(execution: str) -> str:
    return f"{_PREFIX}executions/{execution}"


def _kept(execution: str) -> str:
    return f"{_PREFIX}preserved/{execution}"
