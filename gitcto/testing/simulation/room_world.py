"""The rooms of one run's world: what is durable stays on the machine, jobs die with the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gitcto.context.records import Entry
from gitcto.errors import CtoError
from gitcto.model.commands import RecordPreserved
from gitcto.model.lease_events import Signs
from gitcto.model.records import Decision, Execution, Task
from gitcto.provider_contracts import NOTHING
from gitcto.runtime.agents import worker_context
from gitcto.runtime.agents.worker_context import Desk
from gitcto.runtime.core.briefing import Briefing, Kept
from gitcto.runtime.core.jobs import Job, Post
from gitcto.runtime.core.messages import (
    NO_WORK,
    AgentPolled,
    NotStarted,
    Work,
    WorkerFinished,
    WorkerStarted,
)
from gitcto.runtime.core.outside_record import Outside
from gitcto.runtime.core.seats import Turn, last_in, seat_named, seated, seated_at
from gitcto.runtime.core.world import Rooms
from gitcto.runtime.host.layout import execution_of
from gitcto.runtime.worker.worker_values import LOST, Exit, Observed
from gitcto.testing.simulation.ledger import Told
from gitcto.testing.simulation.removals import kept_at, pin_of, places, removal
from gitcto.testing.simulation.rooms import OK, Room, Run

if TYPE_CHECKING:
    from gitcto.effects import Effects
    from gitcto.testing.simulation.node import Node


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

    def brief_again(self, task: Task, news: tuple[Entry, ...]) -> Briefing:
        """Return what a later step of the same attempt is told of its task."""
        return worker_context.again(self._desk, task, news)

    def patches(self, turn: Turn) -> Mapping[str, str]:
        """Return what stands for the texts of changes."""
        return {seat: f"the change to {commit}" for seat, commit in turn.step.reads.items()}

    def begin(self, turn: Turn, briefing: Briefing, idle: tuple[str, ...]) -> Job:
        """Return the job of a new step."""
        del briefing, idle
        node, seated = self._node, turn.seated

        def pin(post: Post) -> None:
            if node.faults.strikes("not_started"):
                post(self._not_started(turn, "the provider is not there"))
                return
            node.faults.step("attempt.pin")
            node.refs.setdefault(
                pin_of(seated.id if turn.step.edits else turn.execution.id), turn.execution.base
            )
            self._effects.crash_point("attempt.pinned")
            node.later(node.faults.rng.uniform(20, 3_000), lambda: make(post))

        def make(post: Post) -> None:
            if node.disk_full:
                post(self._not_started(turn, "no space left on device"))
                return
            if turn.is_first_here:
                room = Room(place=seated.id, base=seated.base)
                node.rooms[seated.id] = room
                room.files = dict(node.history.files(seated.base))
            self._effects.crash_point("room.files")
            node.later(node.faults.rng.uniform(20, 1_000), lambda: spawn(post))

        def spawn(post: Post) -> None:
            self._effects.crash_point("attempt.room")
            run = node.runs.setdefault(turn.run, Run(room=node.rooms[seated.id]))
            run.room = node.rooms[seated.id]
            node.workers.launch(run, node.part(turn))
            node.await_worker(run, lambda: begun(post, run))

        def begun(post: Post, run: Run) -> None:
            if run.started is not None:
                post(WorkerStarted(turn=turn, started=run.started))
            node.await_end(run, lambda: post(self._finished(turn)))

        return pin

    def _not_started(self, turn: Turn, why: str) -> NotStarted:
        work = self.take_up_unseen(turn)
        return NotStarted(turn=turn, reason="not_started", detail=why, work=work)

    def adopt(self, turn: Turn, removing: frozenset[str]) -> Job:
        """Return the job that continues a step which another orchestrator began."""
        del removing
        node = self._node

        def wait(post: Post) -> None:
            run = node.runs.get(turn.run)
            if run is None:
                post(self._finished(turn))
            else:
                node.await_end(run, lambda: post(self._finished(turn)))

        return wait

    def _finished(self, turn: Turn) -> WorkerFinished:
        run = self._node.runs.get(turn.run)
        ended = run.exit if run and run.exit else Exit(code=LOST, cause="lost")
        work = self.take_up(turn.task, turn.seated) if turn.step.edits else NO_WORK
        there = run is not None and run.room.files
        why = "" if work else "nested_repository" if there else "no_workspace"
        return WorkerFinished(
            turn=turn,
            exit=ended,
            report=run.report if run else OK,
            work=work,
            refusal=why,
            refusal_detail=why,
            outside=run.outside if run else Outside(),
            altered=self._altered(turn),
        )

    def _altered(self, turn: Turn) -> str:
        """Name what a step that was to read only changed, in its own room or in what it read."""
        if turn.step.edits:
            return ""
        node, x = self._node, turn.execution
        room = node.rooms.get(turn.seated.id)
        changed = room is None or room.files != dict(node.history.files(turn.seated.base))
        for seat, commit in turn.step.reads.items():
            work = self.take_up(turn.task, seated(x, last_in(x, seat)))
            changed = changed or work is None or work.commit != commit
        return "what it read" if changed else ""

    def poll(self, turn: Turn, seen: AgentPolled | None) -> Job:
        """Return the job that asks what a running worker has used: all that it will."""
        del seen
        node = self._node

        def ask(post: Post) -> None:
            run = node.runs.get(turn.run)
            post(AgentPolled(run=turn.run, usage=run.usage if run else NOTHING))

        return ask

    def observe(self, run: str) -> Observed:
        """Return what is recorded of a worker."""
        found = self._node.runs.get(run)
        return found.observed if found else Observed(started=None, exit=None, alive=False)

    def heartbeats(self) -> Mapping[str, int]:
        """Return no heartbeats: the signs of life have them."""
        return {}

    def signs(self, run: str, place: str, beat_ms: int, *, files: bool) -> Signs:
        """Look at a worker's signs of life: they move, unless it hangs with its supervisor."""
        del place
        node = self._node
        beat = 0 if node.runs[run].hung else node.clock.ms
        return Signs(supervised=True, beat_ms=beat, written_ns=1 if files else 0)

    def cut_off(self, run: str) -> None:
        """Kill the supervisor of a worker that does not answer."""
        found = self._node.runs.get(run)
        if found is not None and found.launched:
            self._node.workers.finish(found, Exit(code=LOST, cause="lost"))

    def move_in(self, execution: Execution) -> None:
        """Pin the late work that an execution adopted."""
        self._node.faults.step("late.pin")
        self._node.refs.setdefault(pin_of(execution.id), execution.work)

    def stop(self, run: str) -> None:
        """Ask for the end of a worker."""
        found = self._node.runs.setdefault(run, Run(room=Room(place=run, base="")))
        self._node.workers.stop(found)

    def interrupt(self, run: str) -> None:
        """Ask for the end of a worker; nobody here is deaf."""
        self.stop(run)

    def end(self, run: str) -> Observed:
        """End a worker and wait until nothing of it runs."""
        found = self._node.runs.get(run)
        if found is not None and found.launched:
            self._node.workers.finish(found, Exit(code=130, cause="stopped"))
        return self.observe(run)

    def take_up(self, task: Task, execution: Execution) -> Work | None:
        """Make a commit of what is in a room."""
        node = self._node
        room = node.rooms.get(execution.id)
        if room is None or room.files is None or room.refused:
            return None
        tree, owner = node.history.tree(room.files), execution_of(execution.id)
        self._effects.crash_point("attempt.harvested")
        commit = node.history.commit(
            tree, execution.base, f"attempt {task.spec.id}", (owner, task.spec.id)
        )
        node.refs[pin_of(execution.id)] = commit
        self._effects.crash_point("attempt.kept")
        changed = len(node.history.changes(execution.base, tree))
        return Work(commit=commit, tree=tree, changed=changed)

    def take_up_unseen(self, turn: Turn) -> Work | None:
        """Return what a worker left that nobody saw start."""
        run, room = self._node.runs.get(turn.run), self._node.rooms.get(turn.seated.id)
        launched = (run is not None and run.launched) or not turn.is_first_here
        if not turn.step.edits or not launched or room is None or room.files is None:
            return NO_WORK
        return self.take_up(turn.task, turn.seated)

    def preserve(
        self, execution: Execution, work: Work | None, beside: str = ""
    ) -> RecordPreserved | None:
        """Keep work that will not land under a ref; return the command that records it."""
        if work is None or not work.commit or not work.changed:
            return None
        node, ref = self._node, kept_at(f"{execution.id}.{beside}" if beside else execution.id)
        node.faults.step("work.preserve")
        held = node.refs.setdefault(ref, work.commit)
        if not node.history.contains(held, work.commit):
            raise CtoError(f"{ref} holds {held}", "rename that ref")
        self._effects.crash_point("work.preserved")
        return RecordPreserved(execution=execution.id, ref=ref, commit=held, seat=beside)

    def unreachable_work(self, task: Task, execution: Execution) -> str:
        """Return why an ended execution's rooms must stay, or nothing."""
        node = self._node
        for place in places(node, execution.id):
            room, at = node.rooms[place], seated_at(execution, place)
            if room.files is None or not seat_named(at):
                continue
            work = self.take_up(task, at)
            if work is None:
                return "the room holds a repository"
            if not work.changed or work.tree == execution.tree:
                continue
            kept = (kept_at(execution.id), kept_at(f"{execution.id}.{seat_named(at)}"))
            if not any(node.history.contains(node.refs.get(ref, ""), work.commit) for ref in kept):
                return "no ref keeps its work"
        return ""

    def removal(self, execution: Execution) -> Job:
        """Return the job that drops a settled execution's ref, and removes its room and records."""
        return removal(self._node, self._effects, execution)

    def leftovers(self) -> tuple[str, ...]:
        """Return all executions that left a room, records or a ref."""
        pins = (
            name.removeprefix(pin_of("")) for name in self._node.refs if name.startswith(pin_of(""))
        )
        left = {*pins, *self._node.rooms, *self._node.runs}
        return tuple(sorted(set(map(execution_of, left))))

    def idle(self, busy: frozenset[str]) -> tuple[str, ...]:
        """Return the executions whose rooms are there and are not among the ``busy`` ones."""
        return tuple(sorted(name for name in self._node.rooms if execution_of(name) not in busy))

    def where(self, execution: str) -> str:
        """Return where a room is."""
        return f"{self._node.name}/{execution}"

    def end_strays(self) -> None:
        """End nothing: what a made-up run starts dies with it."""

    def changed_outside(self, execution: Execution) -> Outside | None:
        """Return what a worker did outside its room."""
        run = self._node.runs.get(execution.id)
        return run.outside if run else None

    def forget_outside(self, execution: Execution) -> None:
        """Forget nothing: nothing was kept."""

    def shortage(self, *, again: bool = False) -> str:
        """Return why no room may be made, or nothing."""
        del again
        return "the disk is full" if self._node.disk_full else ""
