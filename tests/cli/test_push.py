from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import POLICY, TARGET, Crew

if TYPE_CHECKING:
    from tests.cli.conftest import Room


@pytest.fixture
def crew(repo: Room) -> Crew:
    """A team whose policy names a remote, a bare repository beside it."""
    repo.write("policy.toml", f'{POLICY}[remote]\nname = "origin"\n')
    made = Crew(repo.path, repo.home, repo.environ)
    made.git("init", "-q", "--bare", "../hub.git")
    made.git("remote", "add", "origin", "../hub.git")
    made.cto("init")
    return made


def there(crew: Crew) -> str:
    return crew.git("ls-remote", "origin", TARGET).partition("\t")[0]


def test_what_landed_is_pushed_and_the_ledger_says_where(crew: Crew) -> None:
    commit = crew.land("A")
    done = crew.cto("push")
    assert done.out == f"origin {TARGET} holds {commit[:12]}\n"
    assert done.err.startswith("hint: ")
    assert there(crew) == commit
    assert f"pushed {commit[:12]} to origin {TARGET}" in crew.cto("log").out


def test_show_and_status_say_where_a_commit_was_pushed(crew: Crew) -> None:
    hook = crew.path.parent / "hub.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    crew.land("A")
    [listed] = json.loads(crew.cto("status", "--all", "--json").out)["tasks"]
    assert listed["push"].startswith("not pushed: ")
    told = json.loads(crew.cto("show", "A", "--json").out)["task"]
    assert told["push"].startswith("not pushed: ")
    assert "\npush      not pushed: " in crew.cto("show", "A").out
    hook.unlink()
    crew.cto("push")
    assert f"\npush      origin {TARGET}" in crew.cto("show", "A").out
    told = json.loads(crew.cto("show", "A", "--json").out)["task"]
    assert told["push"] == f"origin {TARGET}, with a later push"


def test_a_push_that_is_refused_undoes_nothing(crew: Crew) -> None:
    commit = crew.land("A")
    (crew.path.parent / "hub.git").rename(crew.path.parent / "gone.git")
    told = crew.cto("push", expect=1)
    assert told.error.startswith("not pushed: origin cannot be reached: ")
    assert "`git cto push`" in told.err
    assert crew.git("rev-parse", TARGET) == commit
    assert json.loads(crew.cto("show", "A", "--json").out)["task"]["state"] == "done"


def test_without_a_remote_in_policy_it_says_so(crew: Crew) -> None:
    crew.land("A")
    crew.write("policy.toml", POLICY)
    assert crew.cto("push", expect=1).error == "not pushed: policy names no remote"


def test_before_anything_landed(crew: Crew) -> None:
    assert crew.cto("push", expect=1).error == "nothing has landed yet"
