from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gitcto.git.repository import Repository, discover
from gitcto.model import commands as cmd
from gitcto.model.ids import ulid
from gitcto.model.records import Decision, Landing, TaskSpec, Verdict
from gitcto.store.ledger import Ledger, Recorded

MANY = "many"
"""The profile of Hypothesis for as many examples as an hour allows."""

settings.register_profile(
    MANY,
    max_examples=2000,
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.invalid",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.invalid",
    "LC_ALL": "C",
}

ALLOW = Decision(
    action="dispatch",
    resource="task",
    subject="me",
    rule="roles.developer",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)


LANDING = Landing(
    target="refs/heads/cto/demo/integration",
    old="0" * 40,
    new="1" * 40,
    tree="2" * 40,
    evidence="3" * 40,
)
VERDICT = Verdict(
    gate="tests", status="pass", reason="", tree=LANDING.tree, definition="d", log="", detail=""
)


class Died(BaseException):
    """What a crash point does in these tests."""


class TestEffects:
    """A clock that ticks once per question, counted ids, and crash points that can kill."""

    __test__ = False

    def __init__(self, start_ms: int = 1_700_000_000_000, seed: int = 1) -> None:
        self.clock = start_ms
        self.seed = seed
        self.ids = 0
        self.die_at = ""
        self.passed: list[str] = []
        self.on_pause: Callable[[], object] = lambda: None

    def now_ms(self) -> int:
        self.clock += 1
        return self.clock

    def monotonic_s(self) -> float:
        return self.clock / 1000

    def new_id(self) -> str:
        self.ids += 1
        return ulid(self.clock, (self.seed << 64) + self.ids)

    def pause(self, seconds: float) -> None:
        self.clock += int(seconds * 1000)
        self.on_pause()

    def crash_point(self, name: str) -> None:
        self.passed.append(name)
        if name == self.die_at:
            raise Died(name)


def git(where: Path | Repository, *args: str, stdin: bytes = b"") -> str:
    path = where.common_dir if isinstance(where, Repository) else where
    done = subprocess.run(
        ["git", "-C", str(path), *args],
        check=True,
        input=stdin,
        capture_output=True,
        env=ENVIRONMENT,
    )
    return done.stdout.decode().strip()


def make_repository(path: Path, *options: str) -> Repository:
    subprocess.run(
        ["git", "init", "-q", *options, str(path)], check=True, env=ENVIRONMENT, timeout=30
    )
    return discover(path, ENVIRONMENT)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return make_repository(tmp_path / "repo")


@pytest.fixture
def effects() -> TestEffects:
    return TestEffects()


@pytest.fixture
def open_ledger(repository: Repository, effects: TestEffects) -> Iterator[Callable[..., Ledger]]:
    opened: list[Ledger] = []

    def open_(
        where: Repository = repository, team: str = "demo", using: TestEffects = effects
    ) -> Ledger:
        opened.append(Ledger(where, team, using, "tester"))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


@pytest.fixture
def ledger(open_ledger: Callable[..., Ledger]) -> Ledger:
    """A ledger with a team and three tasks, the third after the first."""
    made = open_ledger()
    begin(made)
    return made


def begin(ledger: Ledger) -> None:
    recorded(
        ledger.transact(cmd.CreateTeam(team=ledger.team, target="refs/heads/cto/demo/integration"))
    )
    specs = (
        TaskSpec(id="T1", title="first"),
        TaskSpec(id="T2", title="second"),
        TaskSpec(id="T3", title="third", depends_on=("T1",)),
    )
    recorded(ledger.transact(cmd.ImportPlan(source="plan.toml", digest="d" * 64, tasks=specs)))


def recorded(outcome: Recorded | cmd.Refusal) -> Recorded:
    assert isinstance(outcome, Recorded), outcome
    return outcome


def lease(task: str, execution: str, now_ms: int = 1_700_000_000_000) -> cmd.Lease:
    return cmd.Lease(
        task=task,
        execution=execution,
        base="b" * 40,
        provider="command",
        role="developer",
        workspace="clone",
        holder="here",
        expires_ms=now_ms + 1_000_000,
        max_workers=6,
        decision=ALLOW,
    )
