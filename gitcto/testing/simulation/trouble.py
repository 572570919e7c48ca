"""Faults that come by themselves, each kind at its own rate: machines, disks, remotes, people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gitcto.model.commands import SetMode
from gitcto.model.queue_commands import AskEjection, PauseQueue
from gitcto.model.records import TaskState, TeamMode
from gitcto.runtime.worker.worker_values import LOST, Exit

if TYPE_CHECKING:
    from gitcto.testing.simulation.node import Node
    from gitcto.testing.simulation.rooms import Run
    from gitcto.testing.simulation.simulation import Simulation


class Trouble:
    """Plans what goes wrong, one kind after the other, each again and again."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._kinds: dict[str, Callable[[Node], bool]] = {
            "kill": self._kill,
            "stall": self._stall,
            "clock_jump": self._jump,
            "disk_full": self._full,
            "remote_gone": self._cut_off,
            "checked_out": self._check_out,
            "target_moved": self._move_target,
            "supervisor_killed": self._kill_supervisor,
            "worker_crash": self._crash_worker,
            "pause": self._pause,
            "stop": self._stop,
            "eject": self._eject,
            "second_run": self._run_again,
        }

    def begin(self) -> None:
        """Plan the first of each kind."""
        for name in self._kinds:
            self._plan(name)

    def _plan(self, name: str) -> None:
        wait_ms = self._sim.faults.wait_ms(name)
        if wait_ms is not None:
            self._sim.clock.after(wait_ms, lambda: self._strike(name))

    def _strike(self, name: str) -> None:
        sim = self._sim
        if sim.faults.over:
            return
        if self._kinds[name](sim.faults.rng.choice(sim.nodes)):
            sim.faults.count(name)
        self._plan(name)

    def _kill(self, node: Node) -> bool:
        alive = node.run is not None
        node.die()
        return alive

    def _stall(self, node: Node) -> bool:
        rng = self._sim.faults.rng
        node.stalled_until = node.clock.ms + int(rng.choice((2_000, 20_000, 90_000)) * rng.random())
        return True

    def _jump(self, node: Node) -> bool:
        hours = self._sim.faults.rng.choice((0.01, 0.1, 2.0))
        node.skew_ms += int(self._sim.faults.rng.uniform(-hours, hours) * 3_600_000)
        return True

    def _for_a_while(self, node: Node, attribute: str) -> bool:
        if getattr(node, attribute):
            return False
        setattr(node, attribute, True)
        ms = self._sim.faults.rng.expovariate(1 / 90_000)
        self._sim.clock.after(ms, lambda: setattr(node, attribute, False))
        return True

    def _full(self, node: Node) -> bool:
        return self._for_a_while(node, "disk_full")

    def _cut_off(self, node: Node) -> bool:
        return self._sim.options.remote and self._for_a_while(node, "cut_off")

    def _check_out(self, node: Node) -> bool:
        return self._for_a_while(node, "checked_out")

    def _move_target(self, node: Node) -> bool:
        node.overtake()
        return True

    def _working(self, node: Node) -> list[Run]:
        runs = [node.runs[name] for name in sorted(node.runs)]
        return [run for run in runs if run.started is not None and run.exit is None]

    def _kill_supervisor(self, node: Node) -> bool:
        return self._end_one(node, Exit(code=LOST, cause="lost"))

    def _crash_worker(self, node: Node) -> bool:
        return self._end_one(node, Exit(code=139, cause="exited"))

    def _end_one(self, node: Node, how: Exit) -> bool:
        runs = self._working(node)
        if runs:
            self._sim.workers.finish(self._sim.faults.rng.choice(runs), how)
        return bool(runs)

    def _pause(self, node: Node) -> bool:
        team, rng = self._sim.chain.state.team, self._sim.faults.rng
        if team is None or team.mode is not TeamMode.RUNNING:
            return False
        pauses = (SetMode(mode=TeamMode.PAUSED), SetMode(mode=TeamMode.DRAINING), PauseQueue())
        self._sim.book().transact(rng.choice(pauses))
        node.turn_soon(rng.uniform(1, 400))
        return True

    def _stop(self, node: Node) -> bool:
        self._sim.book().transact(SetMode(mode=TeamMode.STOPPED))
        node.turn_soon(self._sim.faults.rng.uniform(1, 400))
        return True

    def _eject(self, node: Node) -> bool:
        live = [x for x in self._sim.chain.state.live() if x.state is TaskState.VALIDATING]
        if not live:
            return False
        chosen = self._sim.faults.rng.choice(live)
        self._sim.book().transact(AskEjection(execution=chosen.id, reason="not now"))
        node.turn_soon(self._sim.faults.rng.uniform(1, 400))
        return True

    def _run_again(self, node: Node) -> bool:
        alive = node.run is not None
        node.start()
        return alive
