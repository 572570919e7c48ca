"""Nothing that a worker wrote or committed is deleted before it landed or a person gave it up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.peers.elsewhere import lost
from tests.acceptance.peers.policies import policy
from tests.acceptance.peers.test_done_that_is_not_done import run_until
from tests.acceptance.project import TARGET, Project, append, job, unchanged, write

pytestmark = pytest.mark.slow


def conflicting(project: Project) -> None:
    """Let one of two tasks land on the line that the other changes, which then cannot."""
    project.plan(
        job("T-1", append("base.txt", "mine\n"), write("one")),
        job("T-2", append("base.txt", "yours\n"), write("two")),
    )
    project.expect("run", code=1)


@lost(
    "A failed merge-back force-deleted the branch with the only committed copy, and the task was "
    "opened again for ever.",
    "sipyourdrink-ltd/bernstein#2792",
)
def test_a_failed_merge_keeps_the_only_copy__bernstein_2792(tmp_path: Path) -> None:
    """What conflicts is kept under a ref of its own, which no `git gc` removes."""
    project = Project(tmp_path, policy(workers=2, conflicts=0))
    conflicting(project)
    (done,) = project.landed()
    other = "T-2" if done == "T-1" else "T-1"
    assert project.state(other) == ("blocked", "conflict")
    (ref,) = project.refs("preserved")
    project.git("gc", "-q", "--prune=now")
    assert project.show("two" if other == "T-2" else "one", ref) == "x"
    assert project.show("base.txt", ref).splitlines()[0] == "base"
    project.cto("run")
    assert project.task(other)["attempts"] == 1


@lost("A conflict left the worktree dirty, half merged.", "gastownhall/gastown#3604")
def test_a_conflict_leaves_no_worktree_dirty__gastown_3604(tmp_path: Path) -> None:
    """Merges are made without a checkout; yours and the team's branch stay as they are."""
    project = Project(tmp_path, policy(workers=2, conflicts=0))
    before = unchanged(project)
    conflicting(project)
    assert unchanged(project) == before
    git = project.path / ".git"
    half_done = ("MERGE_HEAD", "rebase-merge", "rebase-apply", "CHERRY_PICK_HEAD")
    assert [name for name in half_done if (git / name).exists()] == []
    assert project.git("worktree", "list").count("\n") == 0
    assert project.git("stash", "list") == ""
    assert "<<<<" not in project.show("base.txt")


@lost(
    "The merge agent cleaned up: 21 worktrees and 51 branches went, queued ones among them.",
    "gastownhall/gastown#1182",
)
def test_cleaning_up_takes_nothing_that_waits_to_land__gastown_1182(tmp_path: Path) -> None:
    """Work that waits in the queue is held by a ref, and `git cto clean` leaves it alone."""
    project = Project(tmp_path, policy())
    project.plan(*(job(f"T-{number}", write(f"f{number}")) for number in range(3)))
    run_until(project, "work.harvested")
    project.cto("clean", "--apply")
    project.git("prune", "--expire=now")
    project.expect("run")
    assert sorted(project.landed()) == ["T-0", "T-1", "T-2"]
    assert {project.task(f"T-{number}")["attempts"] for number in range(3)} == {1}


@lost(
    "Uncommitted work went with its worktree when the team ended.",
    "anthropics/claude-code#35983",
    "anthropics/claude-code#74719",
)
def test_what_nobody_committed_is_kept__claude_code_35983(tmp_path: Path) -> None:
    """Files that the worker never added are part of what is kept, and `preserved` lists them."""
    project = Project(tmp_path, policy(("test", "!", "-e", "untracked"), attempts=1))
    project.plan(job("T-1", write("untracked/file", "text\n"), append("base.txt", "more\n")))
    project.expect("run", code=1)
    (ref,) = project.refs("preserved")
    assert project.show("untracked/file", ref) == "text"
    assert project.show("base.txt", ref) == "base\nmore"
    assert "T-1" in project.expect("preserved", "list")


@lost(
    "32 commits with 45,399 lines were orphaned while their milestone was marked complete.",
    "gsd-build/gsd-2#1846",
)
def test_what_a_worker_committed_itself_stays_reachable__gsd_2_1846(tmp_path: Path) -> None:
    """Commits that a worker made in its room get refs, whether its work lands or not."""
    project = Project(tmp_path, policy(("test", "!", "-e", "bad"), attempts=1))
    draft, final = write("kept", "draft\n"), write("kept", "final\n")
    project.plan(
        job("T-1", draft, {"do": "commit", "message": "one"}, final),
        job("T-2", draft, {"do": "commit", "message": "two"}, final, write("bad")),
    )
    project.cto("run")
    assert project.landed() == ["T-1"]
    project.git("gc", "-q", "--prune=now")
    subjects = project.git("log", "--all", "--format=%s").splitlines()
    assert {"one", "two"} <= set(subjects)
    assert project.show("kept") == "final"


@lost(
    "An automatic resolution silently dropped what the first agent had written.",
    "jayminwest/overstory#84",
)
def test_no_side_of_a_conflict_is_dropped__overstory_84(tmp_path: Path) -> None:
    """The loser of a conflict works again on the new base, so that both are there in the end."""
    project = Project(tmp_path, policy(workers=2, conflicts=2))
    project.plan(
        job("T-1", append("base.txt", "mine\n")),
        job("T-2", append("base.txt", "yours\n")),
    )
    project.expect("run")
    assert sorted(project.show("base.txt").splitlines()) == ["base", "mine", "yours"]
    assert project.kinds().count("execution.leased") == 3


@lost("36 commits were merged into `main` without asking.", "jayminwest/overstory#4")
def test_your_branch_moves_when_you_ask__overstory_4(tmp_path: Path) -> None:
    """A team lands on a branch of its own; `git cto land` brings yours there when you want it."""
    project = Project(tmp_path, policy())
    before = unchanged(project)
    project.plan(job("T-1", write("a")))
    project.expect("run")
    assert unchanged(project) == before
    project.expect("land")
    assert project.git("rev-parse", "main") == project.git("rev-parse", TARGET)
