from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, PluginMaker, Result, Room


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
