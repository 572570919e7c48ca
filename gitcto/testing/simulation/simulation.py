"""A whole simulation: faults for a while, then none, and everything has to come to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.model.commands import CreateTeam, ImportPlan
from gitcto.model.records import TaskState
from gitcto.testing.simulation.checks import Checks
from gitcto.testing.simulation.clock import Clock
from gitcto.testing.simulation.faults import Faults, Trace
from gitcto.testing.simulation.history import History
from gitcto.testing.simulation.ledger import Blobs, Book, Chain, Write
from gitcto.testing.simulation.node import Node
from gitcto.testing.simulation.people import People
from gitcto.testing.simulation.plan import Plan, policy_of
from gitcto.testing.simulation.rooms import Workers
from gitcto.testing.simulation.trouble import Trouble
from gitcto.testing.simulation.world import TEAM, MadeUpEffects

if TYPE_CHECKING:
    from gitcto.testing.simulation.options import Options

_HOUR_MS = 3_600_000
SAFETY_MS = 8 * _HOUR_MS
"""For how long there are faults, unless all is done before."""

LIVENESS_MS = 60 * _HOUR_MS
"""How long everything may take to come to its end once there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one seed: times in milliseconds of the virtual clock."""

    seed: int
    violations: tuple[str, ...]
    digest: str
    ms: int
    faults: dict[str, int]
    faulty_ms: int
    steps: int
    events: int
    lines: tuple[str, ...]


class Simulation:
    """One seed's world and all that lives in it."""

    def __init__(self, options: Options, *, keep: bool = False) -> None:
        self.options = options
        self.policy = policy_of(options)
        self.target = self.policy.target(TEAM)
        self.clock = Clock()
        self.trace = Trace(self.clock, keep=keep)
        self.faults = Faults(options, self.clock, self.trace)
        self.history = History()
        self.chain, self.blobs = Chain(self.trace), Blobs()
        self.workers = Workers(self.faults, self.history)
        self.plan = Plan(options)
        self.remote: dict[str, str] = {}
        self.checks = Checks(self)
        self.nodes = [Node(self, f"clone{n}") for n in range(options.clones)]
        self.people = People(self)
        self.trouble = Trouble(self)
        self.chain.news.append(self.checks.news)

    def book(self, actor: str = "ada@box") -> Book:
        """Return the ledger for a person's command, around which nothing fails."""
        node = self.nodes[0]
        return Book(self.chain, node.clone, MadeUpEffects(node, deadly=False), actor, Write())

    @property
    def tip(self) -> str:
        """The commit at the target: at the remote's where several clones share it."""
        shared = self.options.clones > 1
        return (self.remote if shared else self.nodes[0].refs)[self.target]

    def run(self) -> Result:
        """Let everything happen, and look at what came of it."""
        self._begin()
        try:
            self._until(SAFETY_MS)
            faulty_ms = self.clock.ms
            self._calm()
            self._until(faulty_ms + LIVENESS_MS)
            if not self.checks.found:
                self.checks.at_the_end(ended=self._ended())
        except Exception as error:  # noqa: BLE001  # a bug of the product is what we look for
            faulty_ms = self.clock.ms
            self.checks.bug(error)
        return Result(
            seed=self.options.seed,
            violations=tuple(self.checks.found),
            digest=self.trace.digest,
            ms=self.clock.ms,
            faults=dict(sorted(self.faults.counts.items())),
            faulty_ms=faulty_ms,
            steps=self.faults.steps,
            events=len(self.chain.events),
            lines=tuple(self.trace.lines),
        )

    def _until(self, ms: int) -> None:
        """Let everything happen until a time, until all is done, or until something is wrong."""
        while self.clock.ms < ms and not self._ended() and not self.checks.found:
            self.clock.step()

    def _begin(self) -> None:
        start = self.history.commit(self.history.tree(self.plan.files), "", "start")
        self.remote[self.target] = start
        for node in self.nodes:
            node.refs[self.target] = start
        book = self.book()
        book.transact(CreateTeam(team=TEAM, target=self.target))
        tasks = tuple(self.plan.tasks)
        book.transact(ImportPlan(source="plan.toml", digest="0" * 64, tasks=tasks))
        for number, node in enumerate(self.nodes):
            self.clock.after(number * 1_000, node.start)
        self.people.begin()
        self.trouble.begin()

    def _calm(self) -> None:
        """End all faults; what they did stays."""
        self.faults.over = True
        for node in self.nodes:
            node.disk_full = node.cut_off = node.checked_out = False

    def _ended(self) -> bool:
        """Tell whether every task is done, and every run has seen that and ended."""
        team = self.chain.state.team
        done = team is not None and team.counts == {TaskState.DONE: self.options.tasks}
        return done and all(node.at_rest for node in self.nodes)
