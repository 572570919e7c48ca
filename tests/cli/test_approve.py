from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.model.commands import RecordExit, RecordHarvest, RecordStart
from gitcto.model.queue_commands import RequestApproval
from gitcto.model.records import TaskSpec
from tests.cli.conftest import POLICY, Crew

if TYPE_CHECKING:
    from tests.cli.conftest import Room

CHANGE, OTHER = "c" * 64, "d" * 64


@pytest.fixture
def crew(repo: Room) -> Crew:
    """A team that asks two persons about tier P1."""
    approval = '[tiers.P1.approval]\ncount = 2\napprovers = ["ada@box", "bob@box"]\n'
    repo.write("policy.toml", POLICY + approval)
    made = Crew(repo.path, repo.home, repo.environ)
    made.cto("init")
    made.plan(TaskSpec(id="A", title="a"))
    return made


def ask(crew: Crew, change: str = CHANGE, expires_ms: int = 1 << 50) -> None:
    """Let persons be asked about a change of task A."""
    crew.record(
        RequestApproval(execution="e1", epoch=1, change=change, needed=2, expires_ms=expires_ms)
    )


def work(crew: Crew) -> str:
    """Let a worker of task A have made a commit, and return it."""
    crew.lease("A")
    crew.write("b.py", "y = 1\n")
    crew.git("add", "b.py")
    crew.git("commit", "-qm", "work")
    commit = crew.git("rev-parse", "HEAD")
    tree = crew.git("rev-parse", "HEAD^{tree}")
    crew.git("update-ref", "refs/cto/teams/main/executions/e1", commit)
    crew.git("reset", "-q", "--hard", "HEAD^")
    crew.record(
        RecordStart(execution="e1", epoch=1, pid=1, process_start="1", isolation="none"),
        RecordExit(execution="e1", epoch=1, code=0, cause="exited"),
        RecordHarvest(execution="e1", epoch=1, commit=commit, tree=tree, changed=1),
    )
    return commit


def execution(crew: Crew) -> Any:
    return json.loads(crew.cto("show", "A", "--json").out)["executions"][0]


def test_what_waits_is_listed_with_its_patch_and_how_to_look(crew: Crew) -> None:
    commit = work(crew)
    assert crew.cto("approvals").out == "Nothing waits for approval\n"
    assert "approval" not in crew.cto("status").out
    ask(crew)
    assert "A waits for approval, 0 of 2: `git cto approvals`" in crew.cto("status").out
    told = crew.cto("approvals")
    header, line = told.out.splitlines()
    assert header.split() == ["TASK", "CHANGE", "APPROVED", "EXPIRES", "PATCH"]
    assert line.startswith("A     cccccccccccc  0 of 2    in ")
    assert line.endswith("1 file changed, 1 insertion(+)")
    assert f"`git show {commit[:12]}`" in told.err
    assert "`git cto approve A --change cccccccccccc`" in told.err
    [plain] = json.loads(crew.cto("approvals", "--json").out)["approvals"]
    assert (plain["task"], plain["change"], plain["work"]) == ("A", CHANGE, commit)
    assert plain["approved_by"] == []


def test_two_persons_approve_and_the_ledger_says_who(crew: Crew) -> None:
    work(crew)
    ask(crew)
    done = crew.cto("approve", "A", "--reason", "looks right")
    assert done.out == "Approved change cccccccccccc of A: 1 of 2 approvals\n"
    assert "take it back before it lands with `git cto deny A`" in done.err
    assert crew.cto("approve", "A", expect=1).error == "ada@box has approved A already"
    done = crew.cto("approve", "A", user="bob")
    assert done.out.endswith("2 of 2 approvals\n")
    assert "`git cto run` lands it" in done.err
    found = execution(crew)
    assert (found["approval"], found["approved_by"]) == ("granted", ["ada@box", "bob@box"])
    assert "attempt 1 approval: granted, 2 of 2 by ada@box, bob@box" in crew.cto("show", "A").out
    timeline = crew.cto("log").out
    assert "A: approval requested (2 needed)" in timeline
    assert "A: approved by bob@box" in timeline


def test_a_person_whom_policy_does_not_name_is_refused_with_the_rule(crew: Crew) -> None:
    work(crew)
    ask(crew)
    for verb in ("approve", "deny"):
        told = crew.cto(verb, "A", expect=4, user="mallory").error
        assert "mallory@box" in told
        assert told.endswith("(tiers.P1.approval.approvers)")
    assert execution(crew)["approval"] == "requested"


@pytest.mark.parametrize("name", ["CTO_EXECUTION_DIR", "CTO_EXECUTION", "CTO_TASK"])
@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_worker_cannot_answer(crew: Crew, verb: str, name: str) -> None:
    work(crew)
    ask(crew)
    told = crew.cto(verb, "A", expect=1, environ={**crew.environ, name: "x"}).error
    assert told == f"this is the environment of a worker or a gate ({name} is set), not a person's"
    assert execution(crew)["approval"] == "requested"


def test_an_approval_names_the_change_that_was_looked_at(crew: Crew) -> None:
    """A person looked at one change; by now it is another, and that one nobody has seen."""
    commit = work(crew)
    ask(crew)
    ask(crew, OTHER)
    told = crew.cto("approve", "A", "--change", CHANGE[:12], expect=1)
    assert told.error == "A is now change dddddddddddd, not cccccccccccc"
    assert f"`git show {commit[:12]}`" in told.err
    assert execution(crew)["approved_by"] == []
    assert crew.cto("approve", "A", "--change", "ccc", expect=2).error.endswith("name a change")
    crew.cto("approve", "A", "--change", OTHER[:12])
    assert execution(crew)["approved_by"] == ["ada@box"]


def test_a_refusal_takes_an_approval_back(crew: Crew) -> None:
    work(crew)
    ask(crew)
    crew.cto("approve", "A")
    crew.cto("approve", "A", user="bob")
    done = crew.cto("deny", "A", "--reason", "not today")
    assert done.out == "Refused change cccccccccccc of A\n"
    assert "`git cto retry A`" in done.err
    assert execution(crew)["approval"] == "denied"
    assert crew.cto("approvals").out == "Nothing waits for approval\n"
    assert "A: refused by ada@box (not today)" in crew.cto("log").out


def test_too_late_is_too_late(crew: Crew) -> None:
    work(crew)
    ask(crew, expires_ms=1)
    assert "expired" in crew.cto("approvals").out
    assert crew.cto("approve", "A", expect=1).error == "the request for A has expired"


def test_a_task_that_asks_nobody(crew: Crew) -> None:
    assert crew.cto("approve", "A", expect=1).error.startswith("nobody was asked to approve A")
    assert crew.cto("approve", "B", expect=2).error.startswith("team main has no task 'B'")


def test_a_changed_policy_file_counts_with_the_next_run_only(crew: Crew) -> None:
    """Whoever can write policy.toml must not be able to approve before anybody has run by it."""
    work(crew)
    ask(crew)
    crew.write("policy.toml", (crew.path / "policy.toml").read_text().replace("ada@box", "eve@box"))
    crew.cto("approve", "A", expect=4, user="eve")
    crew.cto("approve", "A")
