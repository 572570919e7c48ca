"""Clones of one bare repository, each with its own rooms, that run one team."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.git.remotes import Remote
from gitcto.git.repository import discover
from gitcto.model.commands import ImportPlan, Refusal
from gitcto.model.records import TaskSpec
from gitcto.runtime.host.layout import settled_root
from gitcto.runtime.team.run import RunResult, run_team
from gitcto.store.ledger import Ledger
from gitcto.store.shared import Shared
from tests.runtime.team.conftest import POLICY, TeamRepo, Told

PROGRAM = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")
SHARED = '[remote]\nname = "origin"\nledger = true\n'
IDENTITY = ("-c", "user.name=u", "-c", "user.email=u@x")
LEDGER = "refs/cto/teams/main/ledger"
TARGET = "refs/heads/cto/main/integration"


class Later(SystemEffects):
    """A world in which every lease of before is over."""

    def now_ms(self) -> int:
        return super().now_ms() + 3_600_000


class Clone(TeamRepo):
    """A repository with a team that `git cto` runs in a process of its own."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.policy_text = POLICY
        self.environ["XDG_STATE_HOME"] = str(root / "state")
        self.started: list[subprocess.Popen[str]] = []

    def settle_rooms(self) -> None:
        """Let `git cto` make its rooms where the runs in this process make theirs."""
        settled_root(discover(self.path, self.environ), self.rooms)

    @classmethod
    def alone(cls, root: Path, policy: str = POLICY) -> Clone:
        """Make a repository without a remote, with its policy committed."""
        self = cls.make(root)
        assert isinstance(self, Clone)
        self.settle_rooms()
        self.set_policy(policy)
        self.git("add", "policy.toml")
        self.git(*IDENTITY, "commit", "-qm", "policy")
        return self

    def set_policy(self, text: str) -> None:
        self.policy_text = text
        (self.path / "policy.toml").write_text(text)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `git cto` here; the fixture ends what a test leaves behind."""
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def cto(self, *arguments: str, expect: int = 0) -> str:
        """Run `git cto` to its end and return what it said, errors last."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=100)
        assert process.returncode == expect, out + err
        return out + err

    def die_at(self, point: str, passings: int = 1) -> None:
        """Run the team until a durable step was passed that often, and be killed there."""
        program = Path(__file__).with_name("die.py")
        argv = [sys.executable, str(program), str(self.root), point, str(passings)]
        done = subprocess.run(argv, env=self.environ, capture_output=True, check=False)
        assert done.returncode == -9, done.stderr.decode()

    def run_with(self, effects: SystemEffects, told: Told | None = None) -> RunResult:
        """Run the team in this process, in a world of the test's choice."""
        self.told = told or Told()
        return run_team(replace(self.request(), effects=effects), self.told, lambda: False)

    def ledger(self, effects: Any = None) -> Ledger:
        """Open the ledger as `git cto` does."""
        repository = discover(self.path, self.environ)
        effects = effects or SystemEffects()
        shared = self.shared(effects) if "[remote]" in self.policy_text else None
        return Ledger(repository, "main", effects, "tester@here", shared)

    def shared(self, effects: Any = None, target: str = "") -> Shared:
        repository = discover(self.path, self.environ)
        remote = Remote(repository, "origin", self.environ)
        return Shared(remote, "main", effects or SystemEffects(), target=target)

    def plan_more(self, *tasks: TaskSpec) -> None:
        """Import tasks for a team that `git cto init` made."""
        with self.ledger() as ledger:
            answer = ledger.transact(ImportPlan(source="test", digest="0", tasks=tasks))
        assert not isinstance(answer, Refusal), answer

    def oid(self, ref: str) -> str:
        return self.git("rev-parse", "--verify", "-q", ref)

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()


@dataclass
class Hub:
    """A bare repository and its clones; ``witness`` is a file that every worker adds a line to."""

    root: Path
    clones: list[Clone] = field(default_factory=list)

    @property
    def bare(self) -> Path:
        return self.root / "hub.git"

    @property
    def witness(self) -> Path:
        return self.root / "started"

    def git(self, *arguments: str) -> str:
        argv = ["git", f"--git-dir={self.bare}", *arguments]
        return subprocess.run(argv, capture_output=True, check=True, text=True).stdout.strip()

    def first(self, policy: str = POLICY + SHARED) -> Clone:
        """Make the hub, and the clone that its first commits come from."""
        clone = Clone.alone(self.root / "a", policy)
        subprocess.run(["git", "init", "-q", "--bare", str(self.bare)], check=True)
        clone.git("remote", "add", "origin", str(self.bare))
        clone.git("push", "-q", "origin", "main")
        self.clones.append(clone)
        return clone

    def pair(self, *names: str) -> tuple[Clone, Clone]:
        """Make two clones that both know a team with a task for each name."""
        first = self.first()
        first.cto("init")
        first.plan_more(*(self.task(first, name) for name in names))
        second = self.another()
        second.cto("init")
        return first, second

    def another(self, name: str = "b") -> Clone:
        """Make one more clone, as somebody on another machine would."""
        root = self.root / name
        root.mkdir()
        subprocess.run(["git", "clone", "-q", str(self.bare), str(root / "repository")], check=True)
        clone = Clone(root)
        clone.settle_rooms()
        clone.policy_text = (clone.path / "policy.toml").read_text()
        self.clones.append(clone)
        return clone

    def task(self, clone: Clone, name: str, *steps: dict[str, object], **fields: Any) -> TaskSpec:
        """Return a task whose worker says that it started, and then does its steps."""
        said = {"do": "append", "path": str(self.witness), "text": f"{name}\n"}
        done = {"do": "write", "path": f"{name}.txt", "text": f"{name}\n"}
        return clone.task(name, [said, *steps, done], **fields)

    def starts(self) -> Counter[str]:
        return Counter(self.witness.read_text().split())

    def landed(self) -> list[str]:
        """Return the ids of the tasks on the hub's target, one per commit."""
        wanted = "--format=%(trailers:key=Cto-Task,valueonly,separator=%x2C)"
        return [line for line in self.git("log", wanted, f"main..{TARGET}").split() if line]

    def assert_agreed(self) -> None:
        """Hub and clones hold the same ledger and target, sound, and nothing is left over."""
        self.git("fsck", "--full", "--strict")
        for clone in self.clones:
            clone.shared(target=TARGET).look()
            assert clone.oid(LEDGER) == self.git("rev-parse", LEDGER)
            assert clone.oid(TARGET) == self.git("rev-parse", TARGET)
            with clone.ledger() as ledger:
                assert ledger.verify_chain() == []
                kinds = Counter(
                    (stored.event.kind, stored.event.body.execution)
                    for stored in ledger.events()
                    if hasattr(stored.event.body, "execution")
                )
                leases = [
                    (stored.event.body.task, stored.event.body.epoch)
                    for stored in ledger.events()
                    if stored.event.kind == "execution.leased"
                ]
            assert len(leases) == len(set(leases))
            once = ("execution.leased", "execution.started", "landing.done")
            assert [key for key, count in kinds.items() if key[0] in once and count > 1] == []


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path)
    yield made
    for clone in made.clones:
        clone.end()


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Clone]:
    made = Clone.alone(tmp_path)
    yield made
    made.end()
