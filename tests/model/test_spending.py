"""What agents used, added up as their steps end."""

from __future__ import annotations

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.records import Decision
from gitcto.model.spending import DAY_MS, Spent
from gitcto.model.spending_events import ReachBudget
from tests.model.circuits import ALLOW, S, Story

FIRST = Usage(input_tokens=10, output_tokens=5, cost_micros=7)
SECOND = Usage(input_tokens=1, cached_tokens=2)


def test_totals_are_the_sum_of_the_steps_that_ended() -> None:
    story = Story()
    assert not story.begin(0, "A")
    assert not story.begin(0, "B", provider="other")
    assert not story.end(4 * S, "A", Fault(kind="rate"), usage=FIRST)
    assert not story.end(9 * S, "B", usage=SECOND)
    used = story.team.used
    assert used.providers["p"] == Spent(runs=1, usage=FIRST, wall_ms=4 * S)
    assert used.providers["other"] == Spent(runs=1, usage=SECOND, wall_ms=9 * S, unpriced=1)
    assert used.all == used.roles["developer"] == used.day.spent
    assert story.state.tasks["A"].spent == used.providers["p"]


def test_a_step_that_was_ended_over_its_head_is_counted_as_a_run_that_told_nothing() -> None:
    story = Story()
    assert not story.begin(0, "A")
    assert not story.send(5 * S, story.failure("A"))
    assert story.team.used.all == Spent(runs=1, wall_ms=5 * S, uncounted=1, unpriced=1)


def test_a_day_begins_at_midnight() -> None:
    story = Story()
    assert not story.begin(0, "A")
    assert not story.end(1 * S, "A", Fault(kind="rate"), usage=FIRST)
    assert not story.begin(DAY_MS - 1, "A")
    assert not story.end(DAY_MS, "A", Fault(kind="rate"), usage=SECOND)
    day = story.team.used.day
    assert day.at(DAY_MS).usage == SECOND
    assert day.at(DAY_MS - 1) == Spent()


def test_a_budget_that_is_reached_ends_the_execution_and_no_other_step_begins() -> None:
    story = Story()
    over = Decision(
        action="budget",
        resource="A1",
        subject="h",
        rule="budgets.task.tokens",
        policy="p",
        inputs={},
        verdict="deny",
        reason="15 of 10 tokens",
    )
    assert not story.begin(0, "A")
    assert story.send(1 * S, ReachBudget(execution="A1", epoch=1, decision=ALLOW)) == "allowed"
    reach = ReachBudget(execution="A1", epoch=1, decision=over)
    assert not story.send(1 * S, reach)
    assert story.state.executions["A1"].over == over
    assert not story.send(2 * S, reach)
    assert story.kinds == []
    assert not story.end(3 * S, "A")
    assert story.send(4 * S, story.step("A1", 1, 2)) == "over_budget"
