"""A whole team whose work waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gitcto.model.commands import Refusal
from gitcto.model.queue_commands import Approve, Deny
from gitcto.policy.decisions import Attempt, decide_approval
from tests.runtime.team.conftest import TeamRepo, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APPROVAL = """\
[tiers.P1.approval]
count = 1
approvers = ["ada@box"]
"""


@pytest.fixture
def team(tmp_path: Path) -> TeamRepo:
    made = TeamRepo.make(tmp_path)
    made.policy_text += APPROVAL
    return made


def answering(team: TeamRepo, kind: Callable[..., Approve | Deny]) -> Callable[[Any], None]:
    """Return what answers each request as ada, as `git cto approve` would in another process."""

    def answer(event: Any) -> None:
        with team.ledger() as ledger:
            execution = ledger.view().execution(event.body.execution)
            assert execution is not None
            attempt = Attempt(
                actor="ada@box",
                team="main",
                task=team.task(execution.task, []),
                execution=execution.id,
                epoch=execution.epoch,
            )
            decision = decide_approval(
                team.policy, attempt, change=execution.change, holder=execution.holder
            )
            said = kind(
                execution=execution.id, change=execution.change, by="ada@box", decision=decision
            )
            answer = ledger.transact(said)
        assert not isinstance(answer, Refusal), answer

    return answer


def test_work_lands_once_a_person_has_approved_it(team: TeamRepo) -> None:
    team.plan(team.task("A", [write("a.txt", "a\n")]))
    team.told.on["approval.requested"] = answering(team, Approve)
    team.run()
    assert team.tasks()["A"].state.value == "done"
    kinds = team.told.kinds()
    assert kinds.count("approval.requested") == kinds.count("landing.done") == 1
    with team.ledger() as ledger:
        [landed] = [
            stored.event.body
            for stored in ledger.events()
            if stored.event.kind == "landing.intended"
        ]
    assert landed.decision.inputs["approved.ada@box"] == landed.landing.change


def test_work_that_a_person_refused_is_kept_and_its_task_waits(team: TeamRepo) -> None:
    team.plan(team.task("A", [write("a.txt", "a\n")]))
    team.told.on["approval.requested"] = answering(team, Deny)
    team.run()
    task = team.tasks()["A"]
    assert (task.state.value, task.reason, task.charged) == ("blocked", "approval_denied", 0)
    assert team.landed() == []
    [kept] = team.preserved()
    assert team.show("a.txt", kept) == "a"


def test_an_approval_taken_back_while_gates_judge_keeps_the_work_from_landing(
    team: TeamRepo,
) -> None:
    team.plan(team.task("A", [write("a.txt", "a\n")]))
    team.told.on["approval.requested"] = answering(team, Approve)
    team.told.on["queue.run_started"] = lambda event: answering(team, Deny)(enqueued(team))
    team.run()
    task = team.tasks()["A"]
    assert (task.state.value, task.reason, task.charged) == ("blocked", "approval_denied", 0)
    assert team.landed() == []
    [kept] = team.preserved()
    assert team.show("a.txt", kept) == "a"


def enqueued(team: TeamRepo) -> Any:
    return next(event for event in team.told.events if event.kind == "approval.requested")
