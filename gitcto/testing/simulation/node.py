"""One clone on one machine: its rooms, its refs, and the run that lives there or does not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.model.commands import SetMode
from gitcto.model.records import TeamMode
from gitcto.runtime.core.book import Book
from gitcto.runtime.loop.orchestrator import Orchestrator
from gitcto.runtime.loop.recovery import recover
from gitcto.testing.simulation.faults import Killed
from gitcto.testing.simulation.ledger import Clone
from gitcto.testing.simulation.reviewers import judgement
from gitcto.testing.simulation.rooms import Part
from gitcto.testing.simulation.world import MadeUpWorld

if TYPE_CHECKING:
    from gitcto.model.codec import Event
    from gitcto.model.state import State
    from gitcto.runtime.core.messages import Message
    from gitcto.runtime.core.queue_messages import QueueMessage
    from gitcto.runtime.core.seats import Turn
    from gitcto.testing.simulation.rooms import Room, Run
    from gitcto.testing.simulation.simulation import Simulation

_JOBS_MS = {"attempt": 20.0, "admit": 500.0, "write": 150.0, "land": 200.0, "remove": 200.0}
"""How long jobs take, in the middle, by the first word of their name (milliseconds)."""

_LOOK_MS = 30_000


class Listening:
    """Hears what a run tells people, and keeps what it says in words for the trace."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def recorded(self, event: Event, state: State) -> None:
        """Take note of an event: the chain has it already."""

    def note(self, text: str) -> None:
        """Take note of something worth a line."""
        self._node.trace.add(f"{self._node.name} says {text}")


class Node:
    """A machine. What is durable stays here when the run dies: rooms, refs, the clone's ledger.

    It is ``at_rest`` once its last run ended because nothing was left to do.
    """

    def __init__(self, sim: Simulation, name: str) -> None:
        self.name = name
        self.actor = f"ada@box/{name}" if sim.options.clones > 1 else "ada@box"
        self.options, self.policy = sim.options, sim.policy
        self.clock, self.faults, self.trace = sim.clock, sim.faults, sim.trace
        self.history, self.chain, self.workers = sim.history, sim.chain, sim.workers
        self.remote, self.blobs = sim.remote, sim.blobs
        self.ids = Random(f"ids {name} {sim.options.seed}")
        self.clone = Clone(sim.chain)
        self.rooms: dict[str, Room] = {}
        self.runs: dict[str, Run] = {}
        self.refs: dict[str, str] = {}
        self.skew_ms = 0
        self.disk_full = self.cut_off = self.checked_out = False
        self.stalled_until = 0
        self.run: Orchestrator | None = None
        self.at_rest = False
        self._sim = sim
        self._life = 0
        self._turns = 0
        self._turning = False

    def part(self, turn: Turn) -> Part:
        """Return what the worker of a step would do."""
        if turn.step.edits:
            return Part(writes=self._sim.plan.writes(turn, self.faults))
        return Part(says=judgement(turn, self.history, self.faults))

    def overtake(self) -> None:
        """Have a stranger move the target."""
        self._sim.people.interfere()

    def removed(self, room: Room) -> None:
        """Note that a room's files go away."""
        self._sim.checks.removed(self, room)

    def move_target(self, commit: str) -> None:
        """Have the branch at another commit."""
        self.refs[self._sim.target] = commit

    def follow_target(self) -> None:
        """Bring the remote's branch here."""
        self.refs[self._sim.target] = self.remote[self._sim.target]

    def duration_ms(self, name: str) -> float:
        """Return how long a job takes."""
        kind = name.partition(" ")[0]
        middle = _JOBS_MS.get(kind, self.options.gate_s * 1000)
        return middle * self.faults.rng.uniform(0.3, 1.7)

    def later(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Do something on behalf of the run that lives now, if it still lives by then."""
        life = self._life
        self.clock.after(delay_ms, lambda: self._alive(life, action))

    def _alive(self, life: int, action: Callable[[], None]) -> None:
        if life != self._life or self.run is None:
            return
        if self.clock.ms < self.stalled_until:
            self.clock.after(self.stalled_until - self.clock.ms, lambda: self._alive(life, action))
            return
        self._guarded(action)

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Killed:
            self.die()
        except CtoError as error:
            self.trace.add(f"{self.name} ends: {error.message}")
            self._end(self.faults.rng.uniform(2_000, 120_000))

    def post(self, message: Message | QueueMessage) -> None:
        """Hand a job's message to the loop, now or after what others said later."""
        delay = self.faults.rng.uniform(0, 8_000) if self.faults.strikes("reorder") else 0
        self.later(delay, lambda: self._hear(message))

    def _hear(self, message: Message | QueueMessage) -> None:
        if self.run is not None:
            self.run.hear(message)
            self.turn_soon()

    def turn_soon(self, delay_ms: float = 20) -> None:
        """Turn the loop once for all that was heard meanwhile."""
        if not self._turning and self.run is not None:
            self._turning = True
            self.later(delay_ms, self._turn)

    def _turn(self) -> None:
        self._turning = False
        self._turns += 1
        number = self._turns
        if self.run is None:
            return
        if not self.run.turn():
            self.trace.add(f"{self.name} ends by itself")
            self.at_rest = True
            self._end(self.faults.rng.uniform(5_000, 300_000))
            return
        look = min(_LOOK_MS, self.options.lease_s * 200)
        self.later(look, lambda: self._look(number))

    def _look(self, number: int) -> None:
        if number == self._turns:
            self.turn_soon(0)

    def await_worker(self, run: Run, tell: Callable[[], None]) -> None:
        """Call back when a worker has started or ended."""
        if run.started is not None or run.exit is not None:
            self.later(1, tell)
        else:
            self._wait(run, tell)

    def await_end(self, run: Run, tell: Callable[[], None]) -> None:
        """Call back when a worker has ended; at once when there was none."""
        if run.exit is not None or not run.launched:
            self.later(self.faults.rng.uniform(50, 1_000), tell)
        else:
            self._wait(run, lambda: self.await_end(run, tell))

    def _wait(self, run: Run, tell: Callable[[], None]) -> None:
        life = self._life
        run.waiting.append(lambda: self.later(1, tell) if life == self._life else None)

    def start(self) -> None:
        """Run the team here, unless a run is alive: the second one is refused."""
        if self.run is not None:
            return
        self._guarded(self._begin)

    def _begin(self) -> None:
        team = self.chain.state.team
        if self.options.clones > 1 and not self.cut_off:
            self.clone.follow()
            self.follow_target()
        if team is None or team.mode is TeamMode.PAUSED or self.checked_out:
            self._start_after(self.faults.rng.uniform(5_000, 60_000))
            return
        self._life += 1
        self._turning = False
        self.trace.add(f"{self.name} starts")
        self.at_rest = False
        world = MadeUpWorld(self)
        self.run = Orchestrator(Book(world, Listening(self)), lambda: False)
        if team.mode is TeamMode.DRAINING:
            world.ledger.transact(SetMode(mode=TeamMode.RUNNING))
        recover(self.run)
        self._turn()

    def _end(self, again_ms: float) -> None:
        self.run = None
        self._start_after(again_ms)

    def _start_after(self, delay_ms: float) -> None:
        """Have somebody start a run after a while, unless one was started by then."""
        self._life += 1
        life = self._life
        self.clock.after(delay_ms, lambda: self.start() if life == self._life else None)

    def die(self) -> None:
        """Die at once; somebody starts another run after a while, or only when leases are over."""
        if self.run is None:
            return
        self.trace.add(f"{self.name} dies")
        lease_ms, rng = self.options.lease_s * 1_000, self.faults.rng
        long = rng.random() < 0.15  # noqa: PLR2004
        self._end(rng.uniform(lease_ms, 3 * lease_ms) if long else rng.uniform(200, 20_000))
