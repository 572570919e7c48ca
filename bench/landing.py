"""Landing: 64 real branches with real tests, beside merging and testing them by hand in turn."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import landing_world as world
from bench.measure import Effort, Row, cost_of, environment, run
from bench.queue_bursts import Burst, Shape, burst
from bench.repositories import Place
from gitcto.effects import SystemEffects
from gitcto.git.repository import discover
from gitcto.model.codec import Event
from gitcto.model.commands import CreateTeam, ImportPlan, Refusal, SingleCommand
from gitcto.model.queue_commands import PauseQueue, ResumeQueue
from gitcto.model.records import TaskSpec
from gitcto.model.state import State
from gitcto.plugins import Plugins
from gitcto.policy.load import parse
from gitcto.runtime.team.run import RunRequest, run_team
from gitcto.store.ledger import Ledger

BRANCHES, CAPACITY, SEED = 64, 6, 10
_HAND = "by hand"
_LIMITS = {0.05: 0.80, 0.10: 1.0}
"""Whole test runs for each change that landed, by the share of red changes."""

_POLICY = """\
version = 1
[concurrency]
max_workers = 6
[retries]
max_attempts = 1
[queue]
capacity = {capacity}
[roles.developer]
provider = "scripted"
[providers.scripted]
plugin = "fake"
[sandbox]
use = ["none"]
[gates.nonempty]
[gates.tests]
argv = {argv}
junit = ["{{scratch}}/junit.xml"]
rerun = {rerun}
[tiers.P1]
gates = ["nonempty", "tests"]
"""


@dataclass(slots=True, kw_only=True)
class Landing:
    """What became of the branches: seconds, test runs, and what landed in which order."""

    wall_s: float
    runs: dict[str, int]
    landed: list[str]


def measure(effort: Effort) -> list[Row]:
    """Return rows for few and for more red changes."""
    rows: list[Row] = []
    for bad in tuple(_LIMITS)[: effort.size(2)]:
        made = burst(Shape(count=effort.size(BRANCHES, 6), bad=bad), SEED)
        with place_of(made) as place:
            alone = _one_run(place)
            hand = _by_hand(place, made)
            team = _by_the_team(place, made)
            still_green = _is_green(place)
        rows += _rows(bad, made, hand, team)
        rows += _truths(bad, made, team, still_green=still_green)
        rows.append(_durations(bad, team, alone))
    return rows


@contextmanager
def place_of(made: Burst) -> Iterator[Place]:
    """Make a repository with the branches of a burst."""
    with tempfile.TemporaryDirectory(prefix="git-cto-bench-") as root:
        place = Place(Path(root).resolve() / "repository", environment(Path(root)))
        place.path.mkdir()
        place.git("init", "--quiet", "--initial-branch=main")
        place.git("config", "gc.auto", "0")
        world.build(place, made)
        yield place


def argv_of(place: Place, who: str) -> tuple[str, ...]:
    """Return the command that runs all tests and notes it in the tally of ``who``."""
    return (sys.executable, "-B", "run_tests.py", "--tally", str(place.beside(f"{who}.tally")))


def _one_run(place: Place) -> float:
    """Return how long the tests take alone (seconds)."""
    argv = argv_of(place, "alone")
    return median(cost_of(lambda: run(argv, place.path, place.env)).wall_s for _ in range(3))


def _by_hand(place: Place, made: Burst) -> Landing:
    landed: list[str] = []
    names = [item.id for item in made.items]
    argv = argv_of(place, "hand")
    cost = cost_of(lambda: landed.extend(world.by_hand(place, names, argv)))
    runs = dict(world.tally(place.beside("hand.tally")))
    return Landing(wall_s=cost.wall_s, runs=runs, landed=landed)


def _is_green(place: Place) -> bool:
    """Run the tests once more on what landed."""
    checkout = place.beside("after")
    place.git("worktree", "add", "--quiet", "--detach", str(checkout), "cto/main/integration")
    try:
        run(argv_of(place, "after"), checkout, place.env)
    except RuntimeError:
        return False
    return True


@dataclass(slots=True)
class _Watch:
    """Lets the queue go once all work waits in it, and takes the time from there to the last."""

    team: _Team
    waiting: int
    began_s: float = 0.0
    ended_s: float = 0.0
    landed: list[str] = field(default_factory=list)

    def recorded(self, event: Event, state: State) -> None:
        """Look at an event."""
        if event.kind == "work.harvested":
            self.waiting -= 1
            if not self.waiting:
                self.began_s = time.perf_counter()
                self.team.tell(ResumeQueue())
        elif event.kind in {"landing.done", "execution.failed"}:
            self.ended_s = time.perf_counter()
            if event.kind == "landing.done":
                self.landed.append(state.executions[event.body.execution].task)  # type: ignore[union-attr]

    def note(self, text: str) -> None:
        """Take no note."""


class _Team:
    def __init__(self, place: Place) -> None:
        self.place = place
        argv = (*argv_of(place, "team"), "--junit", "{scratch}/junit.xml")
        again = json.dumps((*argv, "{tests}"))
        text = _POLICY.format(capacity=CAPACITY, argv=json.dumps(argv), rerun=again)
        self.policy = parse(text.encode(), "policy.toml")
        self.tell(CreateTeam(team="main", target=self.policy.target("main")))

    def tell(self, command: SingleCommand) -> None:
        """Record a command, which must be allowed."""
        repository = discover(self.place.path, self.place.env)
        with Ledger(repository, "main", SystemEffects(), "ada@example.com") as ledger:
            answer = ledger.transact(command)
        if isinstance(answer, Refusal):
            raise TypeError(answer.detail)

    def run(self, watch: _Watch) -> None:
        """Run to the end."""
        request = RunRequest(
            repository=discover(self.place.path, self.place.env),
            team="main",
            policy=self.policy,
            plugins=Plugins.load(sys.path),
            effects=SystemEffects(),
            rooms_root=self.place.beside("rooms"),
            environ=self.place.env,
            actor="ada@example.com",
        )
        run_team(request, watch, lambda: False)


def _by_the_team(place: Place, made: Burst) -> Landing:
    team = _Team(place)
    team.tell(ImportPlan(source="bench", digest="0" * 64, tasks=tuple(_tasks(made))))
    team.tell(PauseQueue(reason="until all is there"))
    watch = _Watch(team, len(made.items))
    team.run(watch)
    runs = dict(world.tally(place.beside("team.tally")))
    return Landing(wall_s=watch.ended_s - watch.began_s, runs=runs, landed=watch.landed)


def _tasks(made: Burst) -> Iterator[TaskSpec]:
    for item in made.items:
        steps = [
            {"do": "replace", "path": path, "old": old, "new": new}
            for path, (old, new) in world.change(made, item.id).items()
        ]
        script = {"script": json.dumps([steps])}
        yield TaskSpec(id=item.id, title=f"Change {item.id}", inputs=script)


def _rows(bad: float, made: Burst, hand: Landing, team: Landing) -> list[Row]:
    what = f"{len(made.items)} branches, {bad:.0%} red"
    return [
        Row(
            what=f"{what}: whole test runs",
            value=team.runs["whole"],
            unit="runs",
            baseline=hand.runs["whole"],
            versus=_HAND,
            ratio_limit=1.0,
        ),
        Row(
            what=f"{what}: whole test runs for each that landed",
            value=team.runs["whole"] / max(1, len(team.landed)),
            unit="runs",
            baseline=hand.runs["whole"] / max(1, len(hand.landed)),
            versus=_HAND,
            limit=_LIMITS[bad],
        ),
        Row(
            what=f"{what}: runs of only what had failed",
            value=team.runs["part"],
            unit="runs",
            baseline=hand.runs["part"],
            versus=_HAND,
        ),
        Row(
            what=f"{what}: from all waiting to the last",
            value=team.wall_s,
            unit="s",
            baseline=hand.wall_s,
            versus=_HAND,
            ratio_limit=1.0,
        ),
    ]


def _truths(bad: float, made: Burst, team: Landing, *, still_green: bool) -> list[Row]:
    what = f"{len(made.items)} branches, {bad:.0%} red"
    names = {item.id for item in made.items}
    good = {name for name in names - set(team.landed) if not made.breaks(name, team.landed)}
    red = not (still_green and made.green(team.landed))
    return [
        Row(what=f"{what}: good ones rejected", value=len(good), unit="changes", limit=0),
        Row(what=f"{what}: target red in the end", value=int(red), unit="times", limit=0),
    ]


def _durations(bad: float, team: Landing, alone_s: float) -> Row:
    return Row(
        what=f"{bad:.0%} red: from all waiting to the last, in test durations",
        value=team.wall_s / alone_s,
        unit="durations",
    )
