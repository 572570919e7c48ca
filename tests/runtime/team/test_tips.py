"""What a worker committed and did not leave in its files is kept, whatever becomes of the room."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import make_context
from gitcto.runtime.workspace.settle import remove

AGENT = """\
import json, os, pathlib, subprocess, sys
task = os.environ["CTO_TASK"]
def git(*arguments):
    who = ("-c", "user.name=w", "-c", "user.email=w@x")
    return subprocess.run(("git", *who, *arguments), check=True, capture_output=True, text=True)
def write(name, text):
    pathlib.Path(name).write_text(text)
"""
SIDE = """\
home = git("rev-parse", "HEAD").stdout.strip()
git("checkout", "-q", "-b", "side")
write("side.txt", f"side of {task}\\n")
git("add", "."); git("commit", "-qm", "side work")
git("checkout", "-q", "--detach", home)
write("detached.txt", "detached\\n")
git("add", "."); git("commit", "-qm", "detached work")
git("checkout", "-q", "-")
write("base.txt", "stashed first\\n"); git("stash")
write("base.txt", "stashed second\\n"); git("stash")
write("gone.txt", "reset away\\n"); git("add", "."); git("commit", "-qm", "gone")
git("reset", "-q", "--hard", home)
"""
KEPT = {
    "side.txt": "side of A",
    "detached.txt": "detached",
    "gone.txt": "reset away",
    "base.txt": "stashed first|stashed second",
}


def worker(team: Any, body: str, workspace: str = "clone") -> None:
    """Let every attempt run a program of the test's own."""
    program = team.root / "agent.py"
    program.write_text(AGENT + body)
    argv = json.dumps([sys.executable, str(program)])
    text = team.policy_text.replace('plugin = "fake"', f'plugin = "command"\nargv = {argv}')
    team.policy_text = text.replace('plugin = "clone"', f'plugin = "{workspace}"')
    team.save_policy()


def contents(team: Any) -> dict[str, set[str]]:
    """Return every text of every file that some ref makes reachable, by name."""
    found: dict[str, set[str]] = {}
    refs = team.git("for-each-ref", "--format=%(refname)", "refs/cto/teams/main/preserved")
    for line in team.git("rev-list", "--objects", *refs.split()).splitlines():
        oid, _, name = line.partition(" ")
        if name and team.git("cat-file", "-t", oid) == "blob":
            found.setdefault(name, set()).add(team.git("cat-file", "-p", oid))
    return found


def assert_all_kept(team: Any) -> None:
    found = contents(team)
    for name, texts in KEPT.items():
        assert set(texts.split("|")) <= found[name], name


@pytest.mark.parametrize("ending", ["landed", "failed"])
@pytest.mark.parametrize("workspace", ["clone", "worktree"])
def test_what_was_committed_and_left_behind_is_reachable(
    team: Any, workspace: str, ending: str
) -> None:
    last = 'write("a", "1\\n")\n' if ending == "landed" else ""
    worker(team, SIDE + last, workspace)
    team.plan(team.task("A"))
    team.run()
    # In a linked worktree these commands made a branch and a stash of the user's: held against it.
    landed = ending == "landed" and workspace == "clone"
    assert team.landed() == (["A"] if landed else [])
    found = contents(team)
    for name, texts in KEPT.items():
        # A linked worktree shares side branches and the stash with its repository: they stay.
        if workspace == "clone" or name in {"detached.txt", "gone.txt"}:
            assert set(texts.split("|")) <= found[name], name
    team.assert_clean()


def test_what_an_unfinished_rebase_had_put_aside_is_reachable(team: Any) -> None:
    worker(
        team,
        """\
home = git("rev-parse", "HEAD").stdout.strip()
write("base.txt", "ours\\n"); git("commit", "-qam", "ours")
git("checkout", "-q", "-b", "side", home)
write("base.txt", "theirs\\n"); write("more.txt", "more\\n")
git("add", "."); git("commit", "-qm", "theirs")
write("more.txt", "put aside\\n")
subprocess.run(("git", "-c", "rebase.autoStash=true", "rebase", "-q", "@{-1}"))
""",
    )
    team.plan(team.task("A"))
    team.run()
    assert "put aside" in contents(team)["more.txt"]
    team.assert_clean()


def test_without_commits_no_ref_is_made_and_no_git_runs(team: Any, monkeypatch: Any) -> None:
    def never(*_: object) -> None:
        raise AssertionError("nothing had to be taken")

    monkeypatch.setattr("gitcto.runtime.workspace.settle.take_tips", never)
    team.plan(team.task("A", [{"do": "write", "path": "a", "text": "1\n"}]))
    team.run()
    assert team.landed() == ["A"]
    assert team.preserved() == []
    team.assert_clean()


@pytest.mark.parametrize("point", ["tips.taken", "tips.kept", "room.removed"])
def test_a_kill_while_commits_are_kept_loses_none(team: Any, point: str) -> None:
    worker(team, SIDE + 'write("a", "1\\n")\n')
    team.plan(team.task("A"))
    program = Path(__file__).with_name("run_and_die.py")
    argv = [sys.executable, str(program), str(team.root), point, "1"]
    assert subprocess.run(argv, env=team.environ, check=False).returncode == -9
    team.run()
    assert team.landed() == ["A"]
    assert_all_kept(team)
    team.assert_clean()


def test_a_room_whose_commits_git_refuses_stays_and_says_why(team: Any) -> None:
    worker(
        team,
        """\
write("a", "1\\n")
blob = git("hash-object", "-w", "a").stdout.strip()
entry = f"100644 blob {blob}\\t.git\\n"
made = subprocess.run(("git", "mktree"), input=entry, check=True, capture_output=True, text=True)
commit = git("commit-tree", "-m", "evil", made.stdout.strip()).stdout.strip()
git("update-ref", "refs/heads/evil", commit)
""",
    )
    team.plan(team.task("A"))
    team.run()
    assert team.landed() == ["A"]
    (note,) = [note for note in team.told.notes if "cannot be taken over" in note]
    assert "hasDotgit" in note or "fsck" in note
    assert len(list(team.rooms.glob("main/*/room/a"))) == 1
    assert team.preserved() == []


def test_a_room_that_no_installed_plugin_knows_stays(team: Any) -> None:
    """Its commits could not be asked for, so nothing of it is removed."""
    team.plan(team.task("A", [{"do": "write", "path": "a", "text": "1\n"}]))
    team.save_policy()
    program = Path(__file__).with_name("run_and_die.py")
    argv = [sys.executable, str(program), str(team.root), "tips.asked", "1"]
    assert subprocess.run(argv, env=team.environ, check=False).returncode == -9
    request = team.request()
    layout = Layout(request.repository, request.team, request.rooms_root)
    with team.ledger() as ledger:
        (execution,) = ledger.executions("A")
        context = make_context(request, layout)
        problem = remove(context, replace(execution, workspace="gone"))
    assert "no plugin knows" in problem
    assert layout.room(execution.id).exists()
    team.run()
    team.assert_clean()
