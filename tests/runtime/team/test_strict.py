"""A whole run at level strict: workers and gates do their work, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitcto.model.events import ExecutionStarted

pytestmark = pytest.mark.usefixtures("bwrap")
DONE = {"do": "write", "path": "x", "text": "1\n"}
WORKER = """
echo work > work
git add work; git commit -qm mine || echo no-commit > commit
cat {home}/secret > leak 2> /dev/null; rm -f leak.empty; [ -s leak ] || rm leak
echo attacked > {repository}/base.txt
echo attacked > {home}/secret
git -C {repository} branch attacked
true
"""


@pytest.mark.parametrize("workspace", ["clone", "worktree"])
def test_a_worker_works_in_its_room_and_nowhere_else(team: Any, workspace: str) -> None:
    (team.root / "secret").write_text("secret\n")
    script = WORKER.format(home=team.root, repository=team.path)
    team.policy_text = (
        team.policy_text.replace('use = ["none"]', 'use = ["strict"]')
        .replace('plugin = "clone"', f'plugin = "{workspace}"')
        .replace(
            'plugin = "fake"', f'plugin = "command"\nargv = ["sh", "-c", {json.dumps(script)}]'
        )
        .replace('["test", "-f", "base.txt"]', '["sh", "-c", "test -f work && ! touch /usr/x"]')
    )
    branches = team.git("branch", "--list", "main", "attacked")
    team.plan(team.task("A", [DONE]))
    team.run()
    assert team.landed() == ["A"]
    assert team.git("ls-tree", "--name-only", "cto/main/integration").split() == (
        ["base.txt", "work"] if workspace == "clone" else ["base.txt", "commit", "work"]
    )
    assert (team.root / "secret").read_text() == "secret\n"
    assert (team.path / "base.txt").read_text() == "base\n"
    assert team.git("branch", "--list", "main", "attacked") == branches
    with team.ledger() as ledger:
        bodies = [stored.event.body for stored in ledger.events()]
    [started] = [body for body in bodies if isinstance(body, ExecutionStarted)]
    assert (started.isolation, started.sandbox) == ("strict", "strict")
    team.assert_clean()
