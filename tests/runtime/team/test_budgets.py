"""Budgets of a real team: what is used up stops what runs and what would begin."""

from __future__ import annotations

import pytest

from gitcto.model.commands import Refusal, RequeueTask
from gitcto.model.records import TaskState
from tests.runtime.team.conftest import TeamRepo, write

HANG = {"do": "hang"}


def use(tokens: int, **more: int) -> dict[str, object]:
    return {"do": "use", "input_tokens": tokens, **more}


def limit(team: TeamRepo, text: str) -> None:
    """Replace what policy says of budgets."""
    head, _, _ = team.policy_text.partition("[budgets")
    team.policy_text = f"{head}{text}"


def retry(team: TeamRepo, task: str) -> None:
    with team.ledger() as ledger:
        assert not isinstance(ledger.transact(RequeueTask(task=task)), Refusal)


@pytest.mark.timeout(180)
def test_a_running_agent_that_uses_its_budget_up_is_ended_and_its_work_is_kept(
    team: TeamRepo,
) -> None:
    team.plan(team.task("A", [write("a.txt", "half"), use(600), HANG], [write("a.txt", "whole")]))
    limit(team, "[budgets.execution]\ntokens = 500\n")
    result = team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.charged) == (TaskState.BLOCKED, "budget_tokens", 0)
    assert task.detail == "600 tokens are used of 500 tokens that an execution may use"
    kinds = team.told.kinds()
    assert kinds.index("budget.reached") < kinds.index("step.ended")
    [kept] = team.preserved()
    assert team.show("a.txt", kept) == "half"
    assert task.spent.usage.tokens == 600
    assert result.resting == ()

    limit(team, "[budgets.execution]\ntokens = 5000\n")
    retry(team, "A")
    team.run()
    assert team.landed() == ["A"]
    team.assert_clean()


@pytest.mark.timeout(120)
def test_time_is_a_budget_that_needs_no_provider(team: TeamRepo) -> None:
    team.plan(team.task("A", [HANG]))
    limit(team, "[budgets.task]\nwall_s = 2\n")
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.BLOCKED, "budget_wall")


@pytest.mark.timeout(120)
def test_a_task_begins_again_only_with_all_that_one_execution_may_use(team: TeamRepo) -> None:
    failing = [use(60), {"do": "exit", "code": 3}]
    team.plan(team.task("A", failing, [write("a.txt", "a")]))
    limit(team, "[budgets.execution]\ntokens = 100\n[budgets.task]\ntokens = 150\n")
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.attempts) == (TaskState.BLOCKED, "denied", 1)
    assert "60 tokens of 150 tokens" in task.detail


@pytest.mark.timeout(120)
def test_the_budget_of_a_team_keeps_tasks_in_the_queue(team: TeamRepo) -> None:
    money = {"do": "use", "input_tokens": 1, "cost_micros": 900_000}
    team.plan(*(team.task(name, [write(name, name), money]) for name in "ABC"))
    limit(team, "[budgets.execution]\nusd = 1.0\n[budgets.team]\nusd = 2.0\n")
    result = team.run()
    done = [name for name, task in team.tasks().items() if task.state is TaskState.DONE]
    assert len(done) == 2  # a dollar set aside for each, of which they used $0.90
    assert result.resting == (
        (
            "$1.80 of $2.00 that the team may use are used or set aside, "
            "and one execution may use $1.00"
        ),
    )
    assert [task.state for task in team.tasks().values()].count(TaskState.QUEUED) == 1


@pytest.mark.timeout(120)
def test_those_that_begin_at_once_set_aside_what_they_may_use(team: TeamRepo) -> None:
    team.plan(*(team.task(name, [write(name, name), use(90)]) for name in "ABC"))
    limit(team, "[budgets.execution]\ntokens = 100\n[budgets.team]\ntokens = 250\n")
    most, live = 0, 0

    def began(event: object) -> None:
        nonlocal most, live
        live += 1
        most = max(most, live)

    def over(event: object) -> None:
        nonlocal live
        live -= 1

    team.told.on = {"execution.leased": began, "step.ended": over}
    result = team.run()
    assert most == 2  # a third one would not have fitted beside two
    assert len([t for t in team.tasks().values() if t.state is TaskState.DONE]) == 2
    assert result.resting
    limit(team, "")
    team.run()
    assert len(team.landed()) == 3
