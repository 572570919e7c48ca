"""Whose approval counts, for which change: decided by policy, and decided the same again."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gitcto.model.records import Decision, Landing, TaskSpec, Verdict
from gitcto.policy.decisions import Attempt, decide_approval, decide_landing, reevaluate
from gitcto.policy.gates import gate_definition
from gitcto.policy.load import parse
from gitcto.policy.records import Policy

TEXT = """\
version = 1
[gates.nonempty]
[tiers.P0]
gates = ["nonempty"]
[tiers.P0.approval]
count = 2
approvers = ["ada@box", "bob@box", "eve, of sales@box"]
[tiers.P1]
gates = ["nonempty"]
[tiers.P1.approval]
count = 1
[tiers.P2]
gates = ["nonempty"]
"""
CHANGE, OTHER = "c" * 64, "d" * 64
TREE = "a" * 40


@pytest.fixture
def policy() -> Policy:
    return parse(TEXT.encode(), "policy.toml")


def attempt(tier: str = "P0", approved: str = CHANGE, *by: str, actor: str = "run") -> Attempt:
    task = TaskSpec(id="T", title="t", tier=tier)
    return Attempt(
        actor=actor,
        team="alpha",
        task=task,
        execution="e1",
        epoch=1,
        approved=approved,
        approved_by=by,
    )


def landing(policy: Policy, who: Attempt, change: str = CHANGE) -> Decision:
    """Decide a landing whose gates are all green."""
    made = Landing(
        target="refs/heads/cto/alpha/integration",
        old="1" * 40,
        new="2" * 40,
        tree=TREE,
        evidence="3" * 40,
        commit="2" * 40,
        change=change,
    )
    green = Verdict(
        gate="nonempty",
        status="pass",
        reason="changed",
        tree=TREE,
        definition=gate_definition(policy, "nonempty"),
    )
    decided = decide_landing(policy, who, made, [green])
    assert reevaluate(policy, decided) == decided
    return decided


def test_a_tier_that_asks_nobody_lands_on_green_gates(policy: Policy) -> None:
    assert landing(policy, attempt("P2", "")).verdict == "allow"


def test_green_gates_alone_do_not_land_where_persons_are_asked(policy: Policy) -> None:
    decided = landing(policy, attempt("P1", ""))
    assert (decided.verdict, decided.rule) == ("deny", "tiers.P1.approval")
    assert decided.reason == "0 of 1 persons have approved this change"


def test_an_approval_of_another_change_counts_for_nothing(policy: Policy) -> None:
    assert landing(policy, attempt("P1", OTHER, "ada@box")).verdict == "deny"
    assert landing(policy, attempt("P1", CHANGE, "ada@box")).verdict == "allow"


def test_a_change_without_an_id_is_never_approved(policy: Policy) -> None:
    assert landing(policy, attempt("P1", "", "ada@box"), change="").verdict == "deny"


@pytest.mark.parametrize(
    ("by", "verdict"),
    [
        (("ada@box", "bob@box"), "allow"),
        (("ada@box", "eve, of sales@box"), "allow"),
        (("ada@box", "ada@box"), "deny"),
        (("ada@box", "mallory@box"), "deny"),
        (("eve", "of sales@box"), "deny"),
    ],
)
def test_only_persons_whom_policy_names_count_and_each_once(
    policy: Policy, by: tuple[str, ...], verdict: str
) -> None:
    assert landing(policy, attempt("P0", CHANGE, *by)).verdict == verdict


@pytest.mark.parametrize(
    ("tier", "actor", "verdict", "rule"),
    [
        ("P0", "ada@box", "allow", "tiers.P0.approval"),
        ("P0", "mallory@box", "deny", "tiers.P0.approval.approvers"),
        ("P1", "mallory@box", "allow", "tiers.P1.approval"),
        ("P1", "ada@box/run1", "deny", "core.approval"),
        ("P2", "ada@box", "deny", "tiers.P2.approval"),
    ],
)
def test_who_may_answer(policy: Policy, tier: str, actor: str, verdict: str, rule: str) -> None:
    who = attempt(tier, "", actor=actor)
    decided = decide_approval(policy, who, change=CHANGE, holder="ada@box/run1")
    assert (decided.verdict, decided.rule, decided.resource) == (verdict, rule, "T")
    assert decided.inputs["change"] == CHANGE
    assert reevaluate(policy, decided) == decided
    assert reevaluate(policy, replace(decided, inputs={})).rule == "core.inputs"
