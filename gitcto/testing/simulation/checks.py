"""What must be true of a simulated run, whatever happened in it."""

from __future__ import annotations

import traceback
from collections import Counter
from typing import TYPE_CHECKING

from gitcto.model.events import ExecutionLeased
from gitcto.model.records import Execution, TaskState
from gitcto.model.state import fold
from gitcto.testing.simulation.bench import red_tests

if TYPE_CHECKING:
    from gitcto.testing.simulation.node import Node
    from gitcto.testing.simulation.rooms import Room
    from gitcto.testing.simulation.simulation import Simulation


class Checks:
    """Collects violations of one simulation, in plain words."""

    def __init__(self, sim: Simulation) -> None:
        self.found: list[str] = []
        self._sim = sim
        self._gone: list[tuple[Node, str, str]] = []

    def bug(self, error: Exception) -> None:
        """Note that the product failed with an error of its own."""
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        where = ", ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
        self.found.append(f"bug: {type(error).__name__}: {error} ({where})")

    def removed(self, node: Node, room: Room) -> None:
        """Look at a room before its files go: its work must be somewhere else."""
        if room.files is None or room.started is None:
            return
        tree = self._sim.history.tree(room.files)
        if tree != self._sim.history.commits[room.base].tree:
            self._gone.append((node, room.execution, tree))
            self._is_kept(node, room.execution, tree)

    def _is_kept(self, node: Node, execution: str, tree: str) -> None:
        sim = self._sim
        x = sim.chain.state.executions[execution]
        landed = x.state is TaskState.DONE and x.tree == tree
        ref = node.refs.get(f"refs/cto/teams/sim/preserved/{execution}", "")
        kept = bool(ref) and sim.history.commits[ref].tree == tree
        if not landed and not kept:
            self.found.append(f"work lost: {execution} of {x.task} ({x.state}) left {tree[:8]}")

    def at_the_end(self, *, ended: bool) -> None:
        """Look at everything once."""
        if not ended:
            self._unfinished()
        for node, execution, tree in self._gone:
            self._is_kept(node, execution, tree)
        self._landed_once()
        self._epochs_grow()
        self._state_is_the_fold()

    def _unfinished(self) -> None:
        tasks = self._sim.chain.state.tasks.values()
        left = [f"{t.spec.id} {t.state}" for t in tasks if t.state is not TaskState.DONE]
        self.found.append(f"not finished without faults: {', '.join(left) or 'a run goes on'}")

    def _landed_once(self) -> None:
        sim = self._sim
        state, history = sim.chain.state, sim.history
        landed = history.since(sim.tip, "")
        on_target = {oid for oid, _ in landed}
        times = Counter(commit.execution for _, commit in landed if commit.execution)
        executions = state.executions
        tasks = Counter(executions[each].task for each in times.elements())
        for task in state.tasks.values():
            done = task.state is TaskState.DONE
            if tasks[task.spec.id] != int(done):
                self.found.append(f"{task.spec.id} is {task.state}, landed {tasks[task.spec.id]}")
            if done and task.commit not in on_target:
                self.found.append(f"{task.spec.id} is done, its commit is not at the target")
        for x in executions.values():
            self._was_green(x)

    def _was_green(self, x: Execution) -> None:
        if x.state is not TaskState.DONE or x.landing is None:
            return
        spec = self._sim.chain.state.tasks[x.task].spec
        red = red_tests(self._sim.history.files(x.landing.tree))
        if red and spec.tier != "P2":
            self.found.append(f"{x.task} landed a red tree: {red[0]}")

    def _epochs_grow(self) -> None:
        last: Counter[str] = Counter()
        for stored in self._sim.chain.events:
            body = stored.event.body
            if isinstance(body, ExecutionLeased):
                if body.epoch <= last[body.task]:
                    self.found.append(f"epoch {body.epoch} of {body.task} is not a new one")
                last[body.task] = body.epoch

    def _state_is_the_fold(self) -> None:
        events = [stored.event for stored in self._sim.chain.events]
        state = self._sim.chain.state
        if list(fold(events).records()) != list(state.records()):
            self.found.append("the state is not the fold of the ledger")
        for node in self._sim.nodes:
            node.clone.follow()
            if list(node.clone.state.records()) != list(state.records()):
                self.found.append(f"{node.name} has another state than the ledger")
