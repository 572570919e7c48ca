"""A team whose attempts take several steps, each by a small program that plays one part."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcto.git.objects import Objects
from gitcto.model.records import Execution, TaskSpec
from gitcto.model.step_records import Step
from gitcto.runtime.proving.redecide import Redecided, redecide
from gitcto.testing.strategies import DUAL, REVIEW, WRITE, WRITE_AGAIN, strategy_toml
from tests.runtime.team.conftest import TeamRepo

AGENT = Path(__file__).with_name("agent.py")

POLICY = """\
version = 1
[concurrency]
max_workers = {workers}
[roles.developer]
provider = "writer"
strategy = "{strategy}"
[workspace]
plugin = "clone"
[sandbox]
use = ["none"]
[retries]
max_attempts = 1
[gates.tests]
argv = ["test", "-f", "base.txt"]
deadline_s = 20
[tiers.P1]
gates = ["tests"]
{providers}
[providers.gone]
plugin = "command"
argv = ["/no/such"]
"""
ROLES = {"writer": "writer", "reviewer": "reviewer"}
NOTED = {"reads": ["task", "patch:main", "notes:write"]}
TWICE = (
    WRITE,
    REVIEW | {"role": "partial", "group": "reviews"},
    REVIEW | {"name": "review_too", "group": "reviews"},
)
STRATEGIES = "".join(
    (
        strategy_toml("reviewed", [WRITE_AGAIN, REVIEW | NOTED], ROLES, rounds=2),
        strategy_toml("dual", DUAL, ROLES),
        strategy_toml("twice", TWICE, ROLES | {"partial": "gone"}),
    )
)


class Steps:
    """A team of the kind above."""

    def __init__(self, root: Path) -> None:
        self.team = TeamRepo.make(root)
        self.agent = root / "agent.py"
        shutil.copy(AGENT, self.agent)

    def policy(
        self, writer: str, reviewer: str, strategy: str = "reviewed", workers: int = 3
    ) -> None:
        """Say which part the writers play, and which the reviewer."""
        providers = "\n".join(
            f'[providers.{name}]\nplugin = "command"\n'
            f'argv = ["{sys.executable}", "-I", "{self.agent}", "{part}", "{{prompt_file}}"]'
            for name, part in (("writer", writer), ("reviewer", reviewer))
        )
        policy = POLICY.format(strategy=strategy, workers=workers, providers=providers)
        self.team.policy_text = policy + STRATEGIES
        self.team.save_policy()

    def plan(self) -> None:
        """Import one task."""
        self.team.plan(TaskSpec(id="A", title="do it"))

    def execution(self) -> Execution:
        """Return the task's last attempt."""
        with self.team.ledger() as ledger:
            view = ledger.view()
            task = view.task("A")
            assert task is not None
            found = view.execution(task.execution)
        assert found is not None
        return found

    def steps(self) -> list[Step]:
        """Return the steps of the last attempt."""
        return list(self.execution().steps)

    def unproved(self) -> list[Redecided]:
        """Return the recorded decisions that do not come out the same again."""
        with self.team.ledger() as ledger:
            objects = Objects(ledger.repository)
            return [each for each in redecide(objects, ledger) if each.differs]

    def go(self) -> None:
        """Let those go on who wait."""
        (self.team.root / "go").touch()


@pytest.fixture
def steps(tmp_path: Path) -> Iterator[Steps]:
    """Make a team; whatever came of it, every decision about it must come out the same again."""
    made = Steps(tmp_path)
    yield made
    assert made.unproved() == []
