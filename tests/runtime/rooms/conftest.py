"""A team whose workers are one line of shell each."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitcto.model.commands import ImportPlan, Refusal
from gitcto.model.records import TaskSpec

TEAM = Path(__file__).parents[1] / "team"


class Crew:
    """A small real team, its workers' commands, and what lies in its rooms' root."""

    def __init__(self, team: Any) -> None:
        self.team = team
        self.rooms: Path = team.rooms
        self.planned = 0
        provider = 'plugin = "command"\nargv = ["sh", "-c", "{input.script}"]\n'
        text = team.policy_text.replace('plugin = "fake"\n', provider)
        self.team.policy_text = text.replace(', "tests"]', "]")  # no checkout for a gate

    def workspace(self, settings: str, more: str = "") -> None:
        """Add settings to [workspace], and sections after it."""
        text = self.team.policy_text.replace("[workspace]\n", f"[workspace]\n{settings}\n")
        self.team.policy_text = text + more

    def files(self, number: int) -> None:
        """Commit as many files, without writing them here."""
        blob = self.team.git("hash-object", "-w", "--stdin", stdin="text\n")
        lines = [f"100644 {blob}\tmany/part{n // 100}/{n}\n" for n in range(number)]
        self.team.git("update-index", "--index-info", stdin="".join(lines))
        self.team.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "many")

    def commit(self, **files: str) -> None:
        for name, text in files.items():
            (self.team.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.team.path / name).write_text(text)
        self.team.git("add", "--all")
        self.team.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "more")

    def tasks(self, **scripts: str) -> None:
        """Plan one task for each script."""
        self.plan(*(self.task(name, script) for name, script in scripts.items()))

    def task(self, name: str, script: str, **fields: Any) -> TaskSpec:
        return TaskSpec(id=name, title=f"do {name}", inputs={"script": script}, **fields)

    def plan(self, *tasks: TaskSpec) -> None:
        """Plan tasks; a second plan goes beside the first."""
        if not self.planned:
            self.team.plan(*tasks)
        else:
            with self.team.ledger() as ledger:
                digest = str(self.planned)
                answer = ledger.transact(ImportPlan(source="test", digest=digest, tasks=tasks))
            assert not isinstance(answer, Refusal), answer
        self.planned += 1

    def die_at(self, point: str, passings: int = 1) -> None:
        """Run until a named step, and be killed there."""
        self.team.save_policy()
        argv = [sys.executable, str(TEAM / "run_and_die.py"), str(self.team.root)]
        done = subprocess.run(
            [*argv, point, str(passings)], env=self.team.environ, capture_output=True, check=False
        )
        assert done.returncode == -9, done.stderr.decode()

    def left(self, name: str) -> list[Path]:
        """Return what lies in a directory of the rooms' root."""
        place = self.rooms / name
        found = sorted(place.iterdir()) if place.is_dir() else []
        return [path for path in found if path.is_dir()]


@pytest.fixture
def crew(tmp_path: Path) -> Crew:
    return Crew(runpy.run_path(str(TEAM / "conftest.py"))["TeamRepo"].make(tmp_path))
