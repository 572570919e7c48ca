from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


def test_the_users_branch_and_checkout_go_forward_and_back(crew: Crew) -> None:
    before = crew.git("rev-parse", "main")
    commit = crew.land("A")
    done = crew.cto("land")
    assert done.out == f"main went 1 commit forward to {commit[:12]}\n"
    assert (crew.path / "A.py").read_text() == "y = 1\n"
    undo = done.err.removeprefix("hint: undo with `git ").removesuffix("`\n").split()
    crew.git(*undo)
    assert crew.git("rev-parse", "main") == before
    assert not (crew.path / "A.py").exists()


def test_landing_twice_says_so(crew: Crew) -> None:
    crew.land("A")
    crew.cto("land")
    assert crew.cto("land").out == "main has everything that landed already\n"


def test_a_branch_nobody_has_checked_out(crew: Crew) -> None:
    crew.git("branch", "other")
    commit = crew.land("A")
    done = crew.cto("land", "--branch", "other")
    assert crew.git("rev-parse", "other") == commit
    assert "git update-ref refs/heads/other" in done.err


def test_what_cannot_go_forward_is_left_alone(crew: Crew) -> None:
    crew.land("A")
    (crew.path / "A.py").write_text("mine\n")
    assert "could not update" in crew.cto("land", expect=128).error
    (crew.path / "A.py").unlink()
    crew.git("commit", "-q", "--allow-empty", "-m", "mine")
    mine = crew.git("rev-parse", "main")
    assert "main has commits that" in crew.cto("land", expect=1).error
    assert crew.git("rev-parse", "main") == mine


def test_before_anything_landed(crew: Crew) -> None:
    assert crew.cto("land", expect=1).error == "nothing has landed yet"
