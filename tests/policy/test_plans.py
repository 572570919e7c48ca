"""Who may say yes to a drafted plan, and that this can be decided again."""

from __future__ import annotations

import pytest

from gitcto.policy.decisions import decision_on, reevaluate
from gitcto.policy.load import parse
from gitcto.policy.plans import POLICY

ASK = parse(b"version = 1", "p")
AUTO = parse(b'version = 1\n[plans]\napprove_drafts = "auto"\nmax_tasks = 3', "p")
FACTS = {
    "team": "main",
    "draft": "d1",
    "digest": "e" * 64,
    "base": "b",
    "tasks": "2",
    "problems": "0",
    "by": POLICY,
}


@pytest.mark.parametrize(
    ("policy", "changes", "verdict", "rule"),
    [
        (ASK, {}, "deny", "plans.approve_drafts"),
        (ASK, {"by": "ada@box"}, "allow", "core.drafts"),
        (AUTO, {}, "allow", "plans.approve_drafts"),
        (AUTO, {"problems": "1"}, "deny", "core.drafts"),
        (ASK, {"by": "ada@box", "problems": "1"}, "deny", "core.drafts"),
        (ASK, {"by": "ada@box", "tasks": "0"}, "deny", "core.drafts"),
        (AUTO, {"tasks": "4"}, "deny", "plans.max_tasks"),
        (AUTO, {"tasks": "many"}, "deny", "core.inputs"),
    ],
)
def test_a_draft_is_decided_on_and_the_same_again(policy, changes, verdict, rule) -> None:
    made = decision_on(policy, "plan", "ada@box", {**FACTS, **changes})
    assert (made.verdict, made.rule) == (verdict, rule)
    assert reevaluate(policy, made) == made


def test_what_policy_did_not_approve_does_not_pass_for_its_approval() -> None:
    made = decision_on(AUTO, "plan", "ada@box", dict(FACTS))
    assert reevaluate(ASK, made) != made
