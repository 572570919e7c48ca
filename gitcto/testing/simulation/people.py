"""People: they look at the team now and then and do what it waits for; some do other things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model.circuit_commands import CloseCircuit
from gitcto.model.commands import RequeueTask, SetMode
from gitcto.model.queue_commands import Approve, ResumeQueue
from gitcto.model.records import Decision, TaskState, TeamMode
from gitcto.testing.simulation.bench import red_tests

if TYPE_CHECKING:
    from gitcto.model.records import Execution
    from gitcto.testing.simulation.simulation import Simulation

_VISIT_MS = 120_000


class People:
    """Whoever is at the keyboard."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim

    def begin(self) -> None:
        """Come for the first time."""
        self._sim.clock.after(_VISIT_MS, self._visit)

    def _visit(self) -> None:
        sim = self._sim
        sim.clock.after(_VISIT_MS * sim.faults.rng.uniform(0.5, 2), self._visit)
        if sim.faults.strikes("person_slow"):
            return
        before = len(sim.chain.events)
        self._let_go_on()
        self._mend_target()
        for task in list(sim.chain.state.tasks.values()):
            if task.state in (TaskState.BLOCKED, TaskState.FAILED_TERMINAL):
                sim.book().transact(RequeueTask(task=task.spec.id))
        for execution in list(sim.chain.state.live()):
            if execution.approval == "requested":
                self._approve(execution)
        self._mend_providers()
        if len(sim.chain.events) > before:
            for node in sim.nodes:
                node.turn_soon(sim.faults.rng.uniform(1, 400))

    def _let_go_on(self) -> None:
        sim, team = self._sim, self._sim.chain.state.team
        if team is None:
            return
        stopped = team.mode is TeamMode.STOPPED and not any(node.run for node in sim.nodes)
        if team.mode is TeamMode.PAUSED or stopped or team.mode is TeamMode.DRAINING:
            sim.book().transact(SetMode(mode=TeamMode.RUNNING))
        sim.book().transact(ResumeQueue())

    def _mend_providers(self) -> None:
        """Let those be asked again that name no time; the others wait for it."""
        sim, team = self._sim, self._sim.chain.state.team
        for name, circuit in (team.circuits if team else {}).items():
            if not circuit.until_ms:
                sim.book().transact(CloseCircuit(provider=name, by="bob@box"))

    def _mend_target(self) -> None:
        """Take out what is red at the target: nothing lands on it otherwise."""
        sim = self._sim
        files = dict(sim.history.files(sim.tip))
        if red_tests(files):
            for path in [p for p, text in files.items() if text.startswith(("bad", "with:"))]:
                files[path] = "mended"
            self.commit(files, "mended")

    def interfere(self) -> None:
        """Commit something to the target that nobody of the team knows of."""
        sim = self._sim
        files = dict(sim.history.files(sim.tip))
        text = sim.faults.rng.choice(("fine", "fine", "fine", "bad")) + f" at {sim.clock.ms}"
        files[sim.faults.rng.choice([*sorted(files), "stranger"])] = text
        self.commit(files, "by a stranger")

    def commit(self, files: dict[str, str], subject: str) -> None:
        """Commit straight to the target."""
        sim = self._sim
        commit = sim.history.commit(sim.history.tree(files), sim.tip, subject)
        sim.trace.add(f"target moved to {commit}")
        sim.remote[sim.target] = commit
        if sim.options.clones == 1:
            sim.nodes[0].move_target(commit)

    def _approve(self, execution: Execution) -> None:
        decision = Decision(
            action="approval",
            resource=execution.task,
            subject="bob@box",
            rule="tiers.P1.approval",
            policy=self._sim.policy.digest,
            inputs={},
            verdict="allow",
            reason="looks good",
        )
        approve = Approve(
            execution=execution.id, change=execution.change, by="bob@box", decision=decision
        )
        self._sim.book("bob@box").transact(approve)
