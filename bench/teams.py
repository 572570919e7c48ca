"""Teams with trivial workers: each writes one line into a file of its own, and is done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from bench.repositories import Place
from gitcto.effects import Effects, SystemEffects
from gitcto.model.codec import Event
from gitcto.model.commands import CreateTeam, ImportPlan, Refusal
from gitcto.model.records import MAX_WORKERS, TaskSpec
from gitcto.model.state import State
from gitcto.plugins import Plugins
from gitcto.policy.load import parse
from gitcto.policy.records import Policy
from gitcto.runtime.core.book import Listener
from gitcto.runtime.team.run import RunRequest, run_team
from gitcto.store.ledger import Ledger

WORKER = 'echo "$CTO_TASK" > "$CTO_TASK.txt"'
"""What the worker does; the bare git commands do the same thing."""

_POLICY = """\
version = 1
[concurrency]
max_workers = {workers}
[roles.developer]
provider = "shell"
[providers.shell]
plugin = "command"
argv = ["sh", "-c", '{worker}']
[workspace]
plugin = "{workspace}"
[gates.nonempty]
[tiers.P1]
gates = ["nonempty"]
"""


class Quiet:
    """A listener that is not interested."""

    def recorded(self, event: Event, state: State) -> None:
        """Take no note."""

    def note(self, text: str) -> None:
        """Take no note."""


def policy_text(workspace: str, workers: int) -> str:
    """Return a policy whose workers are trivial."""
    return _POLICY.format(workers=workers, worker=WORKER, workspace=workspace)


class BenchTeam:
    """A team in a place, run in this process."""

    def __init__(
        self, place: Place, workspace: str, workers: int = MAX_WORKERS, name: str = "main"
    ) -> None:
        self.place = place
        self.name = name
        self.policy: Policy = parse(policy_text(workspace, workers).encode(), "policy.toml")
        self.effects: Effects = SystemEffects()
        self._plugins = Plugins.load(sys.path)
        self._numbers = count(1)
        with self.ledger() as ledger:
            _accept(ledger, CreateTeam(team=self.name, target=self.policy.target(self.name)))

    def ledger(self) -> Ledger:
        """Open the team's ledger."""
        return Ledger(self.place.repository(), self.name, SystemEffects(), "ada@example.com")

    def plan(self, specs: Sequence[TaskSpec]) -> None:
        """Give the team tasks."""
        with self.ledger() as ledger:
            _accept(ledger, ImportPlan(source="bench", digest="0" * 64, tasks=tuple(specs)))

    def tasks(self, number: int) -> list[TaskSpec]:
        """Return new tasks that wait for nothing."""
        return [self.task() for _ in range(number)]

    def task(self, *depends_on: str) -> TaskSpec:
        """Return a new task."""
        name = f"T-{next(self._numbers)}"
        return TaskSpec(id=name, title=f"Write {name}", depends_on=depends_on)

    def run(self, listener: Listener | None = None) -> None:
        """Run the team to its end. Raises ``RuntimeError`` unless every task is done."""
        result = run_team(self.request(), listener or Quiet(), lambda: False)
        if result.unfinished:
            task = result.state.tasks[result.unfinished[0]]
            raise RuntimeError(f"{task.spec.id} is {task.state}: {task.reason}: {task.detail}")

    def request(self) -> RunRequest:
        """Return what the team is run with."""
        return RunRequest(
            repository=self.place.repository(),
            team=self.name,
            policy=self.policy,
            plugins=self._plugins,
            effects=self.effects,
            rooms_root=self.rooms,
            environ=self.place.env,
            actor="ada@example.com",
        )

    @property
    def rooms(self) -> Path:
        """Where the workers' rooms are."""
        return self.place.beside("rooms")


def _accept(ledger: Ledger, command: CreateTeam | ImportPlan) -> None:
    answer = ledger.transact(command)
    if isinstance(answer, Refusal):
        raise TypeError(answer.detail)
