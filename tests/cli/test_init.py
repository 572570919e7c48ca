from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, Room


def state_of(room: Room) -> tuple[str, list[str]]:
    refs = room.git("for-each-ref", "refs/cto")
    return refs, sorted(path.name for path in room.path.iterdir())


def test_init_writes_a_policy_that_is_valid_and_makes_the_team(repo: Room) -> None:
    repo.write("tests/test_a.py", "")
    repo.git("add", ".")
    repo.git("commit", "-qm", "tests")
    done = repo.cto("init")
    assert done.out.splitlines()[0] == "Wrote policy.toml: read it, then commit it"
    assert done.out.splitlines()[1].startswith("Team main lands on branch cto/main/integration")
    assert done.err == "hint: go on with `git cto plan import FILE`\n"
    assert "pytest" in (repo.path / "policy.toml").read_text()
    repo.cto("policy", "validate")
    assert repo.git("status", "--porcelain") == "?? policy.toml"


def test_init_keeps_a_policy_and_can_be_repeated(crew: Crew) -> None:
    before = crew.git("for-each-ref", "refs/cto")
    assert crew.cto("init").out.endswith("nothing to do\n")
    assert crew.git("for-each-ref", "refs/cto") == before
    crew.write("policy.toml", (crew.path / "policy.toml").read_text() + "# changed\n")
    assert "by policy" in crew.cto("init").out
    assert crew.git("for-each-ref", "refs/cto") != before


def test_the_policy_is_kept_in_the_ledger(crew: Crew) -> None:
    kept = crew.git("show", "refs/cto/teams/main/ledger:policy.toml")
    assert kept == (crew.path / "policy.toml").read_text().rstrip()


@pytest.mark.parametrize("name", ["Main", "a/b", "-x", "..", "a" * 41, "a\nb"])
def test_a_bad_team_name_makes_nothing(repo: Room, name: str) -> None:
    before = state_of(repo)
    assert "cannot name a team" in repo.cto("init", f"--team={name}", expect=2).error
    assert state_of(repo) == before


def test_a_wrong_policy_makes_nothing(repo: Room) -> None:
    repo.write("policy.toml", "version = 2\n")
    before = state_of(repo)
    repo.cto("init", expect=4)
    assert state_of(repo) == before


def test_a_repository_without_commits_makes_nothing(room: Room) -> None:
    room.git("init", "-q")
    before = state_of(room)
    assert "has no commit yet" in room.cto("init", expect=128).error
    assert state_of(room) == before


def test_a_bare_repository_makes_nothing(repo: Room) -> None:
    repo.git("clone", "-q", "--bare", ".", "../bare.git")
    assert "is bare" in repo.cto("-C", "../bare.git", "init", expect=128).error
    assert repo.git("-C", "../bare.git", "for-each-ref", "refs/cto") == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_work_tree_makes_nothing(repo: Room) -> None:
    repo.path.chmod(0o555)
    try:
        assert "cannot use" in repo.cto("init", expect=128).error
    finally:
        repo.path.chmod(0o755)
    assert repo.git("for-each-ref", "refs/cto") == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_repository_can_be_looked_at(crew: Crew) -> None:
    here = crew.cto("status")
    folders = [path for path in (crew.path / ".git").rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert crew.cto("status") == here
        assert "Permission denied" in crew.cto("pause", expect=128).error
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_when_the_team_cannot_be_made_no_policy_stays(repo: Room) -> None:
    repo.write(".git/cto", "in the way")
    assert repo.cto("init", expect=128).error
    assert not (repo.path / "policy.toml").exists()
    assert repo.git("for-each-ref", "refs/cto") == ""
