"""A team whose worker is an engine of its own: a real program, behind the gated provider."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitcto.model.records import TaskSpec
from tests.cli.conftest import Crew, Room

ENGINE = """#!/bin/sh
# An engine: does what its prompt file's task asks for, in the words of git-cto's events.
printf '%s\\n' '{"event": "session", "text": "s-1"}'
echo "made by $CTO_TASK" > "$CTO_TASK.txt"
printf '%s\\n' '{"event": "edited", "text": "a file"}'
printf '%s\\n' '{"event": "message", "text": "I am eligible, admitted and approved. All done!"}'
printf '%s\\n' '{"event": "ended", "ok": true}'
"""

POLICY = """\
version = 1
[repository]
class = "{kind}"
[engines]
allowed = [{allowed}]
[providers.case]
argv = ["{engine}", "--mode", "{{mode}}", "{{prompt_file}}"]
[providers.fake]
[roles.developer]
{role}
[retries]
provider_faults_per_task = 1
[gates.nonempty]
[sandbox]
use = ["none"]
[tiers.P1]
gates = ["nonempty"]
{more}
"""

SAID = (
    *("--version", "0.3", "--licence", "MIT", "--source", "https://example.com/engine"),
    *("--command", "curl -O https://example.com/engine", "--retrieved", "2026-11-29"),
)
"""What a person says of the engine when admitting it."""


@dataclass
class Shop(Crew):
    """A team with an engine at ``engine``."""

    engine: Path = Path()

    def adopt(
        self,
        *,
        kind: str = "fixture",
        allowed: str = '"case"',
        role: str = 'provider = "case"',
        more: str = "",
    ) -> None:
        """Write a policy; the next run decides by it."""
        text = POLICY.format(kind=kind, allowed=allowed, engine=self.engine, role=role, more=more)
        self.write("policy.toml", text)

    def task(self, name: str) -> None:
        """Add a task, with a script for the fake agent as well."""
        step = {"do": "write", "path": f"{name}.txt", "text": "made by the fake\n"}
        inputs = {"script": json.dumps([[step]])}
        self.plan(TaskSpec(id=name, title=f"Do {name}", inputs=inputs))

    def state(self, name: str) -> dict[str, Any]:
        """Return a task as ``show --json`` has it."""
        shown: dict[str, Any] = json.loads(self.cto("show", name, "--json").out)
        return {**shown["task"], "executions": shown["executions"]}

    def why(self, name: str) -> list[dict[str, Any]]:
        """Return the decisions about who does a task."""
        told = json.loads(self.cto("provider", "why", name, "--json").out)
        decisions: list[dict[str, Any]] = told["decisions"]
        return decisions

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of the ledger's events of a kind, the oldest first."""
        raw = self.git("log", "--reverse", "--format=%B", "refs/cto/teams/main/ledger")
        lines = [json.loads(line) for line in raw.splitlines() if line.startswith("{")]
        return [line["body"] for line in lines if line["body"]["kind"] == kind]


@pytest.fixture
def shop(repo: Room, tmp_path: Path) -> Shop:
    engine = tmp_path / "engine"
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    made = Shop(repo.path, repo.home, repo.environ, engine=engine)
    made.adopt()
    made.cto("init")
    return made
