"""A team whose attempts take several steps, each by a small program that plays one part."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from gitcto.model.records import Execution, TaskSpec
from gitcto.model.step_records import Step
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
[strategies.reviewed]
summary = "one writes, one reviews"
rounds = 2
[[strategies.reviewed.step]]
name = "write"
role = "writer"
kind = "write"
seat = "main"
reads = ["task", "findings:review"]
[[strategies.reviewed.step]]
name = "review"
role = "reviewer"
kind = "review"
reads = ["task", "patch:main", "notes:write"]
[strategies.reviewed.providers]
writer = "writer"
reviewer = ["reviewer"]
[strategies.dual]
summary = "two write, one chooses"
[[strategies.dual.step]]
name = "write"
role = "writer"
kind = "write"
seat = "main"
group = "write"
[[strategies.dual.step]]
name = "write_too"
role = "writer"
kind = "write"
seat = "second"
group = "write"
[[strategies.dual.step]]
name = "choose"
role = "reviewer"
kind = "adjudicate"
reads = ["task", "patch:main", "patch:second"]
[strategies.dual.providers]
writer = "writer"
reviewer = "reviewer"
"""


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
        self.team.policy_text = POLICY.format(
            strategy=strategy, workers=workers, providers=providers
        )
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

    def go(self) -> None:
        """Let those go on who wait."""
        (self.team.root / "go").touch()


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(tmp_path)
