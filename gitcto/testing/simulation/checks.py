"""What must be true of a simulated run: the invariants, and what only a made-up world can know."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from gitcto.model.events import WorkHarvested, WorkPreserved
from gitcto.model.records import Execution, TaskState
from gitcto.model.state import fold
from gitcto.runtime.host.layout import execution_of
from gitcto.runtime.proving.step_proof import StepProof
from gitcto.testing.invariants import Bounds, Observed, TargetCommit, Watch
from gitcto.testing.simulation.bench import red_tests
from gitcto.testing.simulation.plan import TEAM_TOKENS
from gitcto.testing.simulation.rooms import TOKENS

if TYPE_CHECKING:
    from gitcto.testing.simulation.node import Node
    from gitcto.testing.simulation.rooms import Room
    from gitcto.testing.simulation.simulation import Simulation

_LATE_MS = 300_000
_NEVER_MS = 1 << 60
_UNSTEADY = {"checked_out", "clock_jump", "disk_full", "remote_gone", "stall"}


class Checks:
    """Collects violations of one simulation, in plain words."""

    def __init__(self, sim: Simulation) -> None:
        self.found: list[str] = []
        self._sim = sim
        self._gone: list[tuple[Node, str, str]] = []
        self._seen = 0
        # With a clock that is set, or runs that cannot go on, nothing is promised in milliseconds.
        unsteady = not _UNSTEADY.isdisjoint(sim.options.rates)
        self._bounds = Bounds(
            max_workers=sim.options.max_workers,
            lease_ms=_NEVER_MS if unsteady else _LATE_MS,
            team_tokens=TEAM_TOKENS,
            execution_tokens=TOKENS,
        )
        self._watch = Watch(self._bounds)

    def news(self) -> None:
        """Look at the events that are new in the ledger."""
        events = self._sim.chain.events
        while self._seen < len(events):
            event = events[self._seen].event
            self._seen += 1
            self.found.extend(map(str, self._watch.see(event)))

    def bug(self, error: Exception) -> None:
        """Note that the product failed with an error of its own."""
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        where = ", ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
        self.found.append(f"bug: {type(error).__name__}: {error} ({where})")

    def removed(self, node: Node, room: Room) -> None:
        """Look at a room before its files go: its work must be somewhere else."""
        if room.files is None or not room.runs:
            return
        tree = self._sim.history.tree(room.files)
        if tree != self._sim.history.commits[room.base].tree:
            self._gone.append((node, room.place, tree))
            self._is_kept(node, room.place, tree)
        if room.alive:
            self.found.append(f"the room of {room.execution} goes while its worker lives")

    def _is_kept(self, node: Node, place: str, tree: str) -> None:
        sim = self._sim
        x = sim.chain.state.executions[execution_of(place)]
        landed = x.state is TaskState.DONE and x.tree == tree
        seat = place if "." in place else f"{place}.main"
        names = (f"refs/cto/teams/sim/preserved/{name}" for name in (x.id, seat))
        kept = any(sim.history.commits[node.refs[n]].tree == tree for n in names if n in node.refs)
        if not landed and not kept:
            self.found.append(f"P1: {place} of {x.task} ({x.state}) left {tree[:8]}, it is lost")

    def at_the_end(self, *, ended: bool) -> None:
        """Look at everything once."""
        self.news()
        if not ended:
            self._unfinished()
        for node, execution, tree in self._gone:
            self._is_kept(node, execution, tree)
        self.found.extend(map(str, self._watch.end(self._observed(), quiescent=ended)))
        for x in self._sim.chain.state.executions.values():
            self._was_green(x)
            if x.state is TaskState.DONE and (x.adopted or x.id) in self._sim.workers.trespassers:
                self.found.append(f"promise 4: {x.task} landed, and its worker left its room")
        self._lands_its_own()
        self._state_is_the_fold()
        self._steps_are_derived()

    def _steps_are_derived(self) -> None:
        """Derive every step again from the policy's strategies (promise 5)."""
        settings = self._sim.policy.strategies
        proof = StepProof(lambda name, _file: settings[name].own or "it is not policy's own")
        for seq, write in enumerate(self._sim.chain.events, 1):
            derived = proof.take(write.event, seq)
            if derived is not None and derived.differs:
                self.found.append(f"promise 5: event {seq}, {derived.said}: {derived.differs}")

    def _observed(self) -> Observed:
        sim = self._sim
        history = reversed(sim.history.since(sim.tip, ""))
        rooms = [(at, room) for node in sim.nodes for at, room in sorted(node.rooms.items())]
        stay = {room.execution for _, room in rooms if room.refused}
        return Observed(
            target=tuple(
                TargetCommit(
                    commit=oid,
                    executions=(commit.execution,) if commit.execution else (),
                    tasks=(commit.task,) if commit.task else (),
                )
                for oid, commit in history
            ),
            unreachable=self._unreachable(),
            alive=frozenset(room.execution for _, room in rooms if room.alive),
            left={
                room.execution: "a room"
                for _, room in rooms
                if room.files is not None and room.execution not in stay
            },
            faults=self._misfortunes(),
            bounds=self._bounds,
            used=self._used(),
        )

    def _used(self) -> dict[str, tuple[int, int, int]]:
        """Return what the team's record says its providers' agents used."""
        team = self._sim.chain.state.team
        return {
            name: (spent.runs, spent.usage.tokens, spent.usage.cost_micros or 0)
            for name, spent in (team.used.providers if team else {}).items()
        }

    def _misfortunes(self) -> int | None:
        """Return how much may have cost attempts; None where ends of runs do, too.

        A change that waits for approval is given up by another clone once its own run has ended
        and the lease is over.
        """
        sim = self._sim
        if sim.options.clones > 1 and sim.options.approvals:
            return None
        tasks = sim.chain.state.tasks.values()
        conflicts = sum(task.retries.get("conflict", 0) for task in tasks)
        return sum(sim.faults.counts.values()) + conflicts

    def _unreachable(self) -> frozenset[str]:
        sim = self._sim
        refs = {commit for node in sim.nodes for commit in node.refs.values()}
        bodies = (stored.event.body for stored in sim.chain.events)
        made = (b.commit for b in bodies if isinstance(b, WorkHarvested | WorkPreserved))
        return frozenset(commit for commit in made if commit not in refs)

    def _unfinished(self) -> None:
        tasks = self._sim.chain.state.tasks.values()
        left = [f"{t.spec.id} {t.state}" for t in tasks if t.state is not TaskState.DONE]
        self.found.append(f"L1: not finished without faults: {', '.join(left) or 'a run goes on'}")

    def _was_green(self, x: Execution) -> None:
        if x.state is not TaskState.DONE or x.landing is None:
            return
        spec = self._sim.chain.state.tasks[x.task].spec
        red = red_tests(self._sim.history.files(x.landing.tree))
        if red and spec.tier != "P2":
            self.found.append(f"promise 2: {x.task} landed a red tree: {red[0]}")

    def _lands_its_own(self) -> None:
        """Look whether each landed commit changes what its attempt changed, and nothing else."""
        history, executions = self._sim.history, self._sim.chain.state.executions
        for oid, commit in history.since(self._sim.tip, ""):
            x = executions.get(commit.execution)
            if x is None:
                continue
            own = {change.path for change in history.changes(x.base, x.tree)}
            landed = {change.path for change in history.changes(commit.parent, oid)}
            if not landed <= own:
                other = min(landed - own)
                self.found.append(f"promise 1: landing {x.task} undid {other} at the target")

    def _state_is_the_fold(self) -> None:
        events = [stored.event for stored in self._sim.chain.events]
        state = self._sim.chain.state
        if list(fold(events).records()) != list(state.records()):
            self.found.append("S6: the state is not the fold of the ledger")
        for node in self._sim.nodes:
            node.clone.follow()
            if list(node.clone.state.records()) != list(state.records()):
                self.found.append(f"S6: {node.name} has another state than the ledger")
