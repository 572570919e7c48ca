"""Budgets: read strictly, shown, and decided by so that it can be decided again."""

from __future__ import annotations

import pytest

from gitcto.model.records import TaskSpec
from gitcto.policy import budget_rule
from gitcto.policy.budget_settings import Budget
from gitcto.policy.decisions import Attempt, decide_budget, decide_dispatch, reevaluate
from gitcto.policy.explain import explain
from gitcto.policy.load import parse
from gitcto.policy.problems import PolicyError
from gitcto.policy.records import Policy

ATTEMPT = Attempt(actor="h", team="demo", task=TaskSpec(id="A", title="A"), execution="x1", epoch=1)
HEAD = 'version = 1\n[roles.developer]\nprovider = "fake"\n[providers.fake]\n[gates.nonempty]\n'
TIERS = '[tiers.P1]\ngates = ["nonempty"]\n'


def policy(text: str) -> Policy:
    return parse(f"{HEAD}{TIERS}{text}".encode(), "policy.toml")


def test_money_is_written_in_dollars_and_kept_in_millionths() -> None:
    read = policy("[budgets.task]\nusd = 2.5\ntokens = 7\n[budgets.team]\nusd = 12\n").budgets
    assert read.task == Budget(tokens=7, usd=2_500_000)
    assert read.team == Budget(usd=12_000_000)
    assert read.execution == Budget()
    assert read.units == ("tokens", "usd")
    limits = [("task", "tokens", 7), ("task", "usd", 2_500_000), ("team", "usd", 12_000_000)]
    assert list(read.limits) == limits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[budgets.task]\ntokens = 0", '"tokens" must be 1 to'),
        ("[budgets.task]\ntokens = 1.5", '"tokens" must be a whole number'),
        ("[budgets.task]\nusd = 0.0", '"usd" must be above 0'),
        ("[budgets.task]\nusd = -1", '"usd" must be above 0'),
        ("[budgets.task]\nusd = nan", '"usd" must be above 0'),
        ("[budgets.task]\nusd = inf", '"usd" must be above 0'),
        ("[budgets.task]\nusd = true", '"usd" must be an amount of US dollars'),
        ('[budgets.task]\nusd = "2.50"', '"usd" must be an amount of US dollars'),
        ("[budgets.task]\nusd = 0.0000001", "more than six decimals"),
        ("[budgets.task]\nuds = 1", 'unknown key "uds", did you mean "usd"?'),
        ("[budgets.weekly]\nusd = 1", 'unknown key "weekly"'),
        ('[budgets]\nunknown_usage = "ignore"', 'give "tell" or "refuse"'),
        (
            "[budgets.execution]\ntokens = 9\n[budgets.day]\ntokens = 8",
            "less than one execution may use, so none could begin",
        ),
        ("[retries]\nbackoff_s = 60\nbackoff_max_s = 5", '"backoff_max_s" is less than'),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy(text)
    assert message in caught.value.message


def test_they_are_shown() -> None:
    lines = explain(policy("[budgets.execution]\nusd = 0.5\nwall_s = 60\n"))
    assert "budget   execution: $0.50, 60 s" in lines


LIMITED = "[budgets.execution]\ntokens = 100\n[budgets.team]\ntokens = 250\nusd = 1.0\n"


@pytest.mark.parametrize(
    ("tokens", "micros", "rule"),
    [
        (0, 0, "concurrency.max_workers"),
        (150, 999_999, "concurrency.max_workers"),
        (151, 0, "budgets.team.tokens"),  # it would not fit whole
        (0, 1_000_000, "budgets.team.usd"),
    ],
)
def test_an_attempt_begins_when_all_that_it_may_use_is_left(
    tokens: int, micros: int, rule: str
) -> None:
    taken = {"budget.team.tokens": str(tokens), "budget.team.usd": str(micros)}
    of = policy(LIMITED)
    decision = decide_dispatch(of, ATTEMPT, charged=0, live=0, isolation="strict", taken=taken)
    assert decision.rule == rule
    assert (decision.verdict == "allow") == (rule == "concurrency.max_workers")
    assert budget_rule.may_wait(decision) == rule.startswith("budgets")
    assert reevaluate(of, decision) == decision


def test_a_decision_that_lacks_what_is_used_is_no_decision() -> None:
    decision = decide_dispatch(policy(LIMITED), ATTEMPT, charged=0, live=0, isolation="strict")
    assert (decision.verdict, decision.rule) == ("deny", "core.inputs")


def test_going_on_is_decided_by_the_budget_that_is_used_up() -> None:
    of = policy(LIMITED)
    below = decide_budget(of, ATTEMPT, scope="team", unit="usd", used=999_999)
    above = decide_budget(of, ATTEMPT, scope="team", unit="usd", used=1_000_000)
    assert (below.verdict, above.verdict) == ("allow", "deny")
    assert above.rule == "budgets.team.usd"
    assert above.reason == "$1.00 are used of $1.00 that the team may use"
    assert budget_rule.reason_code(above) == "budget_money"
    assert reevaluate(of, above) == above
