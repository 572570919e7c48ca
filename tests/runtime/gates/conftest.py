"""A small real team whose gates are asked directly, on trees that were never a worker's."""

from __future__ import annotations

import json
import runpy
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitcto.git.change_id import change_id
from gitcto.git.trees import changes
from gitcto.model.records import Execution, Task, TaskSpec, TaskState
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.judged import Judged, Known
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.host.probing import choose_sandbox
from gitcto.runtime.proving.gates import judge_change, judge_tree
from gitcto.runtime.team.run import make_context

TEAM = Path(__file__).parents[1] / "team"

HEAD = """\
version = 1
[roles.developer]
provider = "scripted"
[providers.scripted]
plugin = "fake"
[sandbox]
use = ["none"]
"""


class Gates:
    """A repository, a policy of gates, and candidates for them."""

    def __init__(self, team: Any) -> None:
        self.team = team
        self.policy = ""
        self.sandbox = "none"
        self._made: Context | None = None
        self._executions = 0

    @property
    def gates_dir(self) -> Path:
        return self.team.rooms / ".gates" / "main"

    def gate(self, name: str, *argv: str, more: str = "", plugin: str = "tests") -> None:
        """Add a gate that runs a command; every tier demands all gates."""
        words = f"argv = {json.dumps(list(argv))}\n" if argv else ""
        self.policy += f'[gates.{name}]\nplugin = "{plugin}"\n{words}{more}\n'

    def script(self, name: str, source: str, *, more: str = "") -> None:
        """Add a gate that runs a Python program, given as text."""
        self.gate(name, sys.executable, "-I", "-c", source, more=more)

    def context(self) -> Context:
        """Return the context of a run; of the same run, until :meth:`again`."""
        if self._made is None:
            names = [line[7:-1] for line in self.policy.splitlines() if line.startswith("[gates.")]
            tiers = "".join(
                f"[tiers.{tier}]\ngates = {json.dumps(names)}\n" for tier in ("P0", "P1")
            )
            head = HEAD.replace('["none"]', f'["{self.sandbox}"]')
            self.team.policy_text = head + self.policy + tiers
            request = self.team.request()
            layout = Layout(request.repository, "main", request.rooms_root)
            made = make_context(request, layout)
            use = made.policy.sandbox.use
            chosen = choose_sandbox(made.plugins, use, layout.rooms_root, made.environ)[0]
            self._made = replace(made, isolation=chosen)
        return self._made

    def again(self) -> None:
        """Let a new run begin: with the policy and the environment as they are by now."""
        self._made = None

    def candidate(self, execution: str = "", tier: str = "P1", **files: str) -> Candidate:
        """Return a candidate that changes these files of the main branch."""
        git, team = self.context().git, self.team
        onto = team.git("rev-parse", "main")
        blobs = [
            f"100644 {team.git('hash-object', '-w', '--stdin', stdin=text)}\t{name}"
            for name, text in files.items()
        ]
        index = {**team.environ, "GIT_INDEX_FILE": str(team.root / "candidate.index")}
        usual, team.environ = team.environ, index
        team.git("read-tree", "main")
        team.git("update-index", "--add", "--index-info", stdin="\n".join(blobs))
        tree = team.git("write-tree")
        team.environ = usual
        self._executions += 1
        name = execution or f"01hzzzzzzzzzzzzzzzzzzzz{self._executions:03}"
        changed = changes(git, onto, tree)
        return Candidate(
            task=Task(spec=TaskSpec(id="T-1", title="do it", tier=tier), order=0),
            execution=an_execution(name, onto),
            onto=onto,
            tree=tree,
            changes=changed,
            change=change_id(git, onto, tree, changed),
        )

    def judge(
        self,
        candidate: Candidate | None = None,
        known: Known | None = None,
        only: Mapping[str, tuple[str, ...]] | None = None,
        stop: threading.Event | None = None,
    ) -> dict[str, Judged]:
        """Ask the gates that judge trees; return what they said by name."""
        about = candidate or self.candidate(new="x\n")
        found = judge_tree(self.context(), [about], known or {}, only or {}, stop=stop)
        return {one.verdict.gate: one for one in found}

    def judge_change(self, candidate: Candidate, known: Known | None = None) -> dict[str, Judged]:
        found = judge_change(self.context(), candidate, known or {})
        return {one.verdict.gate: one for one in found}

    def status(self, found: dict[str, Judged]) -> dict[str, tuple[str, str]]:
        return {name: (one.verdict.status, one.verdict.reason) for name, one in found.items()}

    def left(self) -> list[Path]:
        """Return the places of gates that are there."""
        return sorted(self.gates_dir.iterdir()) if self.gates_dir.is_dir() else []


def an_execution(name: str, base: str) -> Execution:
    return Execution(
        id=name,
        task="T-1",
        epoch=1,
        attempt=1,
        state=TaskState.VALIDATING,
        holder="tester@here/1",
        base=base,
        provider="scripted",
        role="developer",
        leased_ms=0,
        expires_ms=0,
    )


@pytest.fixture
def gates(tmp_path: Path) -> Any:
    made = Gates(runpy.run_path(str(TEAM / "conftest.py"))["TeamRepo"].make(tmp_path))
    yield made
    with suppress(OSError):
        assert made.left() == [], "a gate left its place"
