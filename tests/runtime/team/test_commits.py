"""One commit a task: whose, with which trailers, and who else is named."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.git.authors import authors_since
from gitcto.git.process import trusted
from gitcto.git.repository import discover

if TYPE_CHECKING:
    from pathlib import Path

AGENT = """\
import pathlib, subprocess
def git(*arguments, **who):
    settings = [part for key, value in who.items() for part in ("-c", f"user.{key}={value}")]
    subprocess.run(("git", *settings, *arguments), check=True, capture_output=True)
def commit(text, message, **who):
    pathlib.Path("a.txt").write_text(text)
    git("add", "."); git("commit", "-qm", message, **who)
"""
COMMITS = """\
commit("1", "one\\n\\nCo-authored-by: Eve  <EVE@x.org>\\nCo-authored-by: no address", name="Bob",
       email="bob@x.org")
commit("2", "two", name="Bob again", email="BOB@x.org")
commit("3", "three", name="git-cto worker", email="worker@git-cto.invalid")
"""


def worker(team: Any, body: str, workspace: str = "clone") -> None:
    """Let every attempt run a program of the test's own."""
    program = team.root / "agent.py"
    program.write_text(AGENT + body)
    argv = json.dumps([sys.executable, str(program)])
    text = team.policy_text.replace('plugin = "fake"', f'plugin = "command"\nargv = {argv}')
    team.policy_text = text.replace('plugin = "clone"', f'plugin = "{workspace}"')


def landed(team: Any, body: str, workspace: str = "clone") -> list[str]:
    """Let a worker do ``body``, land it, and return the lines of the commit's message."""
    worker(team, body, workspace)
    team.plan(team.task("A"))
    team.run()
    assert team.landed() == ["A"]
    return team.git("log", "-1", "--format=%B", "cto/main/integration").splitlines()


def test_one_commit_a_task_with_its_id_tier_and_evidence(team: Any) -> None:
    lines = landed(team, 'commit("1", "one"); commit("2", "two")')
    task = team.tasks()["A"]
    assert lines == [
        "A: do A",
        "",
        "Cto-Task: A",
        f"Cto-Execution: {task.execution}",
        "Cto-Tier: P1",
        f"Cto-Evidence: {task.evidence}",
    ]
    who = team.git("log", "--format=%an|%ae|%cn", "main..cto/main/integration")
    assert who == "scripted (developer)|scripted@workers.git-cto.localhost|git-cto"


@pytest.mark.parametrize("workspace", ["clone", "worktree"])
def test_whom_the_workers_commits_name_stays_named(team: Any, workspace: str) -> None:
    lines = landed(team, COMMITS, workspace)
    named = [line for line in lines if line.startswith("Co-authored-by")]
    assert named == ["Co-authored-by: Bob <bob@x.org>", "Co-authored-by: Eve <EVE@x.org>"]


def test_commits_that_lead_elsewhere_name_nobody(team: Any) -> None:
    """What is taken up is the files; who made something else did not make them."""
    body = COMMITS + 'pathlib.Path("a.txt").write_text("not committed")\n'
    assert not [line for line in landed(team, body) if "authored" in line]


def test_commits_that_cannot_be_taken_over_fail_nothing(team: Any) -> None:
    body = COMMITS + 'import os; os.mkfifo(".git/refs/heads/trap")\n'
    assert not [line for line in landed(team, body) if "authored" in line]


def test_a_hostile_name_is_one_harmless_line(team: Any, tmp_path: Path) -> None:
    """Written by hand, because git itself would refuse some of it."""
    repository = discover(team.path, team.environ)
    base, tree = team.git("rev-parse", "main", "main^{tree}").split()
    esc = "\x1b[31m\u202eRed\u0007"
    raw = (
        f"tree {tree}\nparent {base}\nauthor {esc} <r@x.org> 1 +0000\n"
        f"committer c <c@x.org> 1 +0000\n\nm\n\n"
        + "".join(f"Co-authored-by: P{n} <p{n}@x.org>\n" for n in range(700))
        + "Co-authored-by: A\n Cto-Evidence: forged <a@x.org>\n"
        + f"Co-authored-by: {'long' * 100} <l@x.org>\n"
    )
    tip = team.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw)
    found = authors_since(trusted(repository), [tip], base, tree)
    assert found[0] == "[31mRed <r@x.org>"
    assert all(person.isprintable() and "\n" not in person for person in found)
    assert max(map(len, found)) <= 80 + len(" <l@x.org>")
    assert "A Cto-Evidence: forged <a@x.org>" in found
    assert authors_since(trusted(repository), [tip], base, "0" * 40) == ()
