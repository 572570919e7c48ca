from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gitcto.model.records import TaskSpec
from tests.cli.test_steer import leave_a_worker

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, PluginMaker, Result, Room

SCRIPT = json.dumps([[{"do": "write", "path": "a.py", "text": "a = 1\n"}]])


def wrong(done: Result) -> dict[str, str]:
    checks = json.loads(done.out)["checks"]
    return {each["subject"]: each["found"] for each in checks if not each["fine"]}


def test_a_healthy_team_is_healthy(crew: Crew) -> None:
    done = crew.cto("doctor")
    assert "WRONG" not in done.out
    assert "ok    team main: its ledger's chain is whole" in done.out
    assert "ok    provider fake: " in done.out
    assert "ok    sandbox: none holds, 1 of 14 attacks stopped" in done.out
    assert json.loads(crew.cto("doctor", "--json").out)["healthy"] is True


def test_without_a_policy_everything_else_is_still_looked_at(repo: Room) -> None:
    found = wrong(repo.cto("doctor", "--json", expect=1))
    assert set(found) == {"policy", "providers", "sandbox"}


def test_what_is_wrong_is_named_with_what_to_do(crew: Crew, extra_plugin: PluginMaker) -> None:
    extra_plugin("broken", "import nope")
    policy = (crew.path / "policy.toml").read_text()
    crew.write("policy.toml", policy.replace('plugin = "fake"', 'plugin = "absent"'))
    crew.git("update-ref", "refs/heads/cto/main/integration", "HEAD")
    crew.git("worktree", "add", "-q", "../w", "cto/main/integration")
    done = crew.cto("doctor", expect=1)
    assert "WRONG plugin broken: " in done.out
    assert "git cto plugins check broken" in done.out
    assert "WRONG policy: policy uses the provider 'absent'" in done.out
    assert "WRONG team main: cto/main/integration is checked out in" in done.out


@pytest.mark.parametrize("name", ["refs/cto/odd", "refs/cto/teams/main/odd"])
def test_refs_that_are_not_ours_are_shown(crew: Crew, name: str) -> None:
    crew.git("update-ref", name, "HEAD")
    assert f"1 refs are not ours: {name}" in crew.cto("doctor").out


def test_doctor_changes_nothing(crew: Crew) -> None:
    before = crew.git("for-each-ref")
    crew.cto("doctor")
    assert crew.git("for-each-ref") == before
    assert crew.git("status", "--porcelain") == "?? policy.toml"


def test_outside_a_repository(room: Room) -> None:
    assert room.cto("doctor", expect=128).error.startswith("not a git repository")


def test_what_a_run_left_is_explained_with_what_becomes_of_it(crew: Crew) -> None:
    leave_a_worker(crew)
    found = crew.cto("doctor").out
    assert (
        "A: its worker is alive; it is waited for (the next run will go on with its worker" in found
    )
    assert "`git cto run` does that by itself" in found
    crew.cto("stop")
    assert "the next run will" not in crew.cto("doctor").out


def test_refs_beside_the_ledger_are_explained(crew: Crew) -> None:
    leave_a_worker(crew, "work\n")
    crew.cto("stop")
    [kept] = crew.git(
        "for-each-ref", "--format=%(refname)", "refs/cto/teams/main/preserved"
    ).split()
    commit = crew.git("rev-parse", kept)
    crew.git("update-ref", "-d", kept)
    crew.git("update-ref", "refs/cto/teams/main/preserved/nobodys", "HEAD")
    found = crew.cto("doctor").out
    assert f"A: the ref that kept its work is gone: {kept}" in found
    assert "nobodys keeps work of an attempt that the ledger does not know" in found
    crew.cto("stop")  # it begins as every run does
    assert crew.git("rev-parse", kept) == commit


def test_a_branch_that_lost_what_landed_is_wrong(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a", inputs={"script": SCRIPT}))
    crew.cto("run")
    crew.git("update-ref", "-d", "refs/heads/cto/main/integration")
    found = wrong(crew.cto("doctor", "--json", expect=1))
    assert "no longer holds what landed" in found["team main"]
