from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.model.records import TaskSpec
from tests.cli.conftest import TARGET

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, Result


def false(done: Result) -> list[str]:
    return [line for line in done.out.splitlines() if line.startswith("FALSE")]


def landed(crew: Crew) -> str:
    return crew.land("A")


def test_evidence_is_shown_and_its_files_can_be_read(crew: Crew) -> None:
    landed(crew)
    done = crew.cto("evidence", "show", "A")
    assert done.out.startswith("# A: Do A\n")
    assert "BYTES  FILE\n" in done.out
    assert "A.py" in crew.cto("evidence", "show", "A", "patch.diff").out
    told = json.loads(crew.cto("evidence", "show", "A", "--json").out)
    assert told["report"]["status"] == "pass"
    assert "patch.diff" in told["files"]
    assert "no file nope" in crew.cto("evidence", "show", "A", "nope", expect=1).error


def test_what_landed_is_proved_from_git(crew: Crew) -> None:
    commit = landed(crew)
    done = crew.cto("evidence", "verify", "A")
    assert not false(done)
    assert f"ok    commit {commit[:12]} is in this repository" in done.out
    assert "ok    gate nonempty passed the change that landed" in done.out
    assert "ok    cto/main/integration holds it" in done.out


def test_a_target_that_lost_the_commit_is_found_out(crew: Crew) -> None:
    landed(crew)
    crew.git("update-ref", TARGET, "HEAD")
    done = crew.cto("evidence", "verify", "A", expect=1)
    assert false(done) == ["FALSE cto/main/integration holds it: it does not"]


def test_a_fresh_clone_proves_the_same(crew: Crew) -> None:
    landed(crew)
    here = crew.cto("evidence", "verify", "A")
    crew.git("clone", "-q", ".", "../clone")
    crew.git("-C", "../clone", "fetch", "-q", "origin", "refs/cto/*:refs/cto/*")
    assert crew.cto("-C", "../clone", "evidence", "verify", "A") == here
    assert crew.cto("-C", "../clone", "status") == crew.cto("status")
    assert crew.cto("-C", "../clone", "log") == crew.cto("log")


def test_a_task_that_is_not_done_has_no_proof(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    done = crew.cto("evidence", "verify", "A", "--json", expect=1)
    told = json.loads(done.out)
    assert told["verified"] is False
    assert told["claims"][0] == {"claim": "A is done", "true": False, "found": "it is queued"}
    assert "no evidence of A yet" in crew.cto("evidence", "show", "A", expect=1).error
