"""A small real team: a repository, a policy, tasks with scripted workers, and runs of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from gitcto.effects import SystemEffects
from gitcto.git.repository import discover
from gitcto.model.codec import Event
from gitcto.model.commands import CreateTeam, ImportPlan, Refusal
from gitcto.model.records import Task, TaskSpec
from gitcto.model.state import State
from gitcto.plugins import Plugins
from gitcto.policy.load import parse
from gitcto.policy.records import Policy
from gitcto.runtime.team.run import RunRequest, RunResult, run_team
from gitcto.store.ledger import Ledger

POLICY = """\
version = 1
[concurrency]
max_workers = 3
[roles.developer]
provider = "scripted"
[providers.scripted]
plugin = "fake"
[workspace]
plugin = "clone"
[sandbox]
use = ["none"]
[retries]
max_attempts = 2
conflict = 2
[gates.nonempty]
[gates.paths]
[gates.tests]
argv = ["test", "-f", "base.txt"]
deadline_s = 20
[tiers.P1]
gates = ["nonempty", "paths", "tests"]
"""

Steps = Sequence[Mapping[str, object]]


def write(path: str, text: str) -> dict[str, object]:
    """Return the worker's step that writes a file."""
    return {"do": "write", "path": path, "text": text}


@dataclass
class Told:
    """A listener that remembers; ``on`` may act when an event of a kind is recorded."""

    events: list[Event] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    on: dict[str, Callable[[Event], None]] = field(default_factory=dict)

    def recorded(self, event: Event, state: State) -> None:
        self.events.append(event)
        action = self.on.get(event.kind)
        if action is not None:
            action(event)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


class TeamRepo:
    """A repository with a team in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "repository"
        self.rooms = root / "rooms"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.policy_text = POLICY
        self.told = Told()

    @classmethod
    def make(cls, root: Path) -> Self:
        """Make the repository with its first commit."""
        self = cls(root)
        self.path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        (self.path / "base.txt").write_text("base\n")
        self.git("add", ".")
        self.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "start")
        return self

    @classmethod
    def existing(cls, root: Path) -> Self:
        """Use a repository that was made before, with the policy that was saved."""
        self = cls(root)
        self.policy_text = (root / "policy.toml").read_text()
        return self

    def save_policy(self) -> None:
        """Keep the policy for another process to run by."""
        (self.root / "policy.toml").write_text(self.policy_text)

    @property
    def policy(self) -> Policy:
        return parse(self.policy_text.encode(), "policy.toml")

    def git(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=self.environ,
            input=stdin.encode(),
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def plan(self, *tasks: TaskSpec) -> None:
        """Make the team and import tasks."""
        with self.ledger() as ledger:
            create = CreateTeam(team="main", target=self.policy.target("main"))
            answers = [
                ledger.transact(create),
                ledger.transact(ImportPlan(source="test", digest="0", tasks=tasks)),
            ]
        assert not any(isinstance(answer, Refusal) for answer in answers), answers

    def task(self, name: str, *attempts: Steps, **fields: Any) -> TaskSpec:
        """Return a task whose worker follows a script, attempt by attempt."""
        inputs = {"script": json.dumps([list(steps) for steps in attempts])}
        return TaskSpec(id=name, title=f"do {name}", inputs=inputs, **fields)

    def ledger(self) -> Ledger:
        return Ledger(discover(self.path, self.environ), "main", SystemEffects(), "tester@here")

    def request(self) -> RunRequest:
        return RunRequest(
            repository=discover(self.path, self.environ),
            team="main",
            policy=self.policy,
            plugins=Plugins.load(sys.path),
            effects=SystemEffects(),
            rooms_root=self.rooms,
            environ=self.environ,
            actor="tester@here",
        )

    def run(self, interrupted: Callable[[], bool] = lambda: False) -> RunResult:
        self.told = Told(on=self.told.on)
        return run_team(self.request(), self.told, interrupted)

    def tasks(self) -> dict[str, Task]:
        with self.ledger() as ledger:
            return {task.spec.id: task for task in ledger.tasks()}

    def landed(self) -> list[str]:
        """Return the task ids on the target, oldest first, one per landed commit."""
        text = self.git(
            "log",
            "--reverse",
            "--format=%(trailers:key=Cto-Task,valueonly,separator=%x2C)",
            "main..cto/main/integration",
        )
        return [line for line in text.splitlines() if line]

    def show(self, path: str, revision: str = "cto/main/integration") -> str:
        return self.git("show", f"{revision}:{path}")

    def preserved(self) -> list[str]:
        """Return the refs that keep work which did not land."""
        prefix = "refs/cto/teams/main/preserved"
        return self.git("for-each-ref", "--format=%(refname)", prefix).split()

    def assert_clean(self) -> None:
        """Nothing is left over, and git finds no fault."""
        self.git("fsck", "--full", "--strict")
        team = self.rooms / "main"
        assert not team.is_dir() or list(team.iterdir()) == []
        refs = self.git("for-each-ref", "--format=%(refname)", "refs/cto")
        assert [r for r in refs.splitlines() if "/executions/" in r] == []


def die_at(team: TeamRepo, point: str, passings: int) -> int:
    """Run the team in a process that kills itself; return that process's exit code."""
    program = Path(__file__).with_name("run_and_die.py")
    argv = [sys.executable, str(program), str(team.root), point, str(passings)]
    return subprocess.run(argv, env=team.environ, capture_output=True, check=False).returncode


@pytest.fixture
def team(tmp_path: Path) -> TeamRepo:
    return TeamRepo.make(tmp_path)
