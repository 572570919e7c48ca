"""One run's world in a simulation: it fails when its faults say so, and keeps what is durable."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from gitcto.errors import CtoError
from gitcto.model.codec import Event
from gitcto.model.commands import RecordPreserved, Refusal, RenewLease, Together
from gitcto.model.events import LeaseRenewed
from gitcto.model.ids import ulid
from gitcto.model.records import Execution, Landing, Task
from gitcto.queue.predict import ChangePredictor, PlainPredictor
from gitcto.runtime.jobs import Job, Post, Runner
from gitcto.runtime.messages import (
    NO_WORK,
    NotStarted,
    RoomRemoved,
    Work,
    WorkerFinished,
    WorkerStarted,
)
from gitcto.runtime.outside_record import Outside
from gitcto.runtime.push_record import NOT_PUSHED
from gitcto.runtime.worker_values import LOST, Exit, Observed
from gitcto.runtime.world import Rooms, Target, World
from gitcto.testing.simulation.bench import MadeUpBench
from gitcto.testing.simulation.clock import START_MS
from gitcto.testing.simulation.ledger import Book, Failing, Write
from gitcto.testing.simulation.rooms import OK, Room

if TYPE_CHECKING:
    from gitcto.runtime.messages import Message
    from gitcto.runtime.queue_messages import QueueMessage
    from gitcto.testing.simulation.node import Node

TEAM = "sim"
_PREFIX = f"refs/cto/teams/{TEAM}/"
_MONOTONIC_0 = 1000.0


class MadeUpEffects:
    """The virtual clock, as one machine's wall clock shows it; seeded ids; deadly crash points."""

    def __init__(self, node: Node, *, deadly: bool = True) -> None:
        self._node = node
        self._deadly = deadly

    def now_ms(self) -> int:
        """Return wall-clock time in milliseconds since the epoch."""
        return START_MS + self._node.clock.ms + self._node.skew_ms

    def monotonic_s(self) -> float:
        """Return the clock that nobody sets (seconds)."""
        return _MONOTONIC_0 + self._node.clock.ms / 1000

    def new_id(self) -> str:
        """Return a new ULID."""
        return ulid(self.now_ms(), self._node.ids.getrandbits(80))

    def pause(self, seconds: float) -> None:
        """Let time go by for everybody."""
        self._node.clock.ms += int(seconds * 1000)

    def crash_point(self, name: str) -> None:
        """Pass a durable step, or die at it."""
        if self._deadly:
            self._node.faults.step(name)


class MadeUpJobs(Runner):
    """Jobs end on the virtual clock; they die with the run that started them."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def start(self, name: str, job: Job) -> None:
        """Plan a job."""
        self._node.later(self._node.duration_ms(name), lambda: job(self._node.post))

    def next(self, timeout_s: float) -> Message | QueueMessage | None:
        """Return nothing: whoever turns the loop hands its messages to it."""
        del timeout_s
        return None


class RunWrite(Write):
    """What can go wrong around a run's transaction."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def begin(self) -> None:
        """Reach the authority."""
        if self._node.options.clones > 1 and self._node.cut_off:
            raise Failing("the remote does not answer")

    def before(self) -> None:
        """Stand before the one step that counts."""
        node = self._node
        if node.disk_full and node.faults.rng.random() < 0.3:  # noqa: PLR2004
            raise Failing("no space left on device")
        node.faults.step("ledger.object")

    def after(self) -> None:
        """Stand behind it."""
        self._node.faults.step("ledger.ref")
        if self._node.options.clones > 1 and self._node.faults.strikes("answer_lost"):
            raise Failing("the remote took it, and its answer was lost")
        self._node.faults.step("ledger.sidecar")


class MadeUpRooms(Rooms):
    """Rooms on one machine; see :class:`gitcto.testing.simulation.rooms.Room`."""

    def __init__(self, node: Node, effects: MadeUpEffects) -> None:
        self._node = node
        self._effects = effects

    def begin(
        self, task: Task, execution: Execution, notes: tuple[str, ...], idle: tuple[str, ...]
    ) -> Job:
        """Return the job of a new attempt."""
        del notes, idle
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
        )

    def observe(self, execution: str) -> Observed:
        """Return what is recorded of a worker."""
        room = self._node.rooms.get(execution)
        return room.observed if room else Observed(started=None, exit=None, alive=False)

    def stop(self, execution: str) -> None:
        """Ask for the end of a worker."""
        room = self._node.rooms.setdefault(execution, Room(execution=execution, base=""))
        self._node.workers.stop(room)

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
        """Find nothing different."""
        return Outside() if execution.id in self._node.rooms else None

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


class MadeUpTarget(Target):
    """The target here, and at the remote where the team is shared."""

    def __init__(self, node: Node, effects: MadeUpEffects, ledger: Book) -> None:
        self._node = node
        self._effects = effects
        self._ledger = ledger

    def tip(self, name: str) -> str | None:
        """Return the commit at a branch."""
        return self._node.refs.get(name)

    def refuse_checked_out(self, name: str) -> None:
        """Raise ``CtoError`` when a worktree has the branch checked out."""
        if self._node.checked_out:
            raise Failing(f"{name} is checked out")

    def move(self, landing: Landing) -> bool:
        """Move it as a landing intends, in one swap; tell whether."""
        node = self._node
        node.faults.step("target.move")
        if node.options.clones > 1 and not self._move_shared(landing):
            return False
        if node.refs.get(landing.target) != landing.old:
            return node.options.clones > 1
        node.move_target(landing.new)
        return True

    def _move_shared(self, landing: Landing) -> bool:
        node, remote = self._node, self._node.remote
        expires = self._effects.now_ms() + node.policy.lease_s * 1000
        renewals = tuple(
            RenewLease(execution=x.id, epoch=x.epoch, expires_ms=max(expires, x.expires_ms + 1))
            for x in self._ledger.view().live()
            if x.landing is not None and x.landing.new == landing.new
        )

        def along() -> bool:
            if remote[landing.target] != landing.old:
                return False
            remote[landing.target] = landing.new
            return True

        answer = self._ledger.transact_along(Together(renewals), along)
        node.follow_target()
        if answer is None or isinstance(answer, Refusal) or not answer.events:
            return False
        return all(isinstance(event.body, LeaseRenewed) for event in answer.events)

    def push(self, name: str, commit: str) -> str:
        """Bring the remote's branch there; return where it was seen, or why it was not pushed."""
        node = self._node
        if not node.options.remote:
            return f"{NOT_PUSHED}policy names no remote"
        if node.cut_off:
            return f"{NOT_PUSHED}the remote does not answer"
        if node.options.clones == 1:
            node.faults.step("target.push")
            node.remote[name] = commit
        return f"origin {name}"

    def landed_as(self, execution: Execution, landing: Landing) -> str:
        """Return the target's commit of an execution, the intended one or another; or nothing."""
        tip = self._node.refs.get(landing.target, "")
        if self._node.history.contains(tip, landing.new):
            return landing.new
        since = self._node.history.since(tip, landing.old)
        return next((oid for oid, commit in since if commit.execution == execution.id), "")

    def look(self) -> str:
        """Bring what a shared remote has."""
        node = self._node
        if node.options.clones > 1:
            if node.cut_off:
                return "the remote does not answer"
            node.clone.follow()
            node.follow_target()
        return ""


class MadeUpWorld(World):
    """Everything one run works with."""

    def __init__(self, node: Node) -> None:
        effects = MadeUpEffects(node)
        ledger = Book(node.chain, node.clone, effects, node.actor, RunWrite(node))
        self.team, self.policy, self.effects = TEAM, node.policy, effects
        self.clone = node.name
        self.holder = f"ada@box/{node.name}/{effects.new_id()}"
        self.max_workers = node.options.max_workers
        self.shared = node.options.clones > 1
        self.ledger = ledger
        self.jobs = MadeUpJobs(node)
        self.rooms = MadeUpRooms(node, effects)
        self.bench = MadeUpBench(node.history, node.policy, node.faults)
        self.target = MadeUpTarget(node, effects, ledger)

    @property
    def level(self) -> Literal["strict"]:
        """The level of isolation."""
        return "strict"

    def predictor(self, note: Callable[[str], None]) -> ChangePredictor:
        """Return the plain predictor."""
        del note
        return PlainPredictor()

    def notify(self, event: Event, seq: int) -> None:
        """Tell nobody."""
