from __future__ import annotations

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcto.model.records import Decision, Landing, TaskSpec, Verdict
from gitcto.policy.decisions import (
    Arrival,
    Attempt,
    decide_dispatch,
    decide_done,
    decide_landing,
    reevaluate,
)
from gitcto.policy.gates import gate_definition, gate_settings, required_gates
from gitcto.policy.load import parse
from gitcto.policy.records import Policy

TEXT = """\
version = 1
[concurrency]
max_workers = 2
[retries]
max_attempts = 2
[roles.developer]
provider = "agent"
[providers.agent]
[gates.tests]
argv = ["make", "test"]
[gates.style]
[tiers.P0]
gates = ["tests", "style"]
sandbox = "strict"
[tiers.P1]
gates = ["tests"]
sandbox = "landlock"
[tiers.P2]
gates = []
"""
TREE, OTHER = "a" * 40, "b" * 40


def policy(text: str = TEXT) -> Policy:
    return parse(text.encode(), "policy.toml")


def attempt(tier="P1", role="developer") -> Attempt:
    task = TaskSpec(id="T1", title="t", tier=tier, role=role)
    return Attempt(actor="runner", team="alpha", task=task, execution="e1", epoch=3)


def landing(**changes) -> Landing:
    made = Landing(
        target="refs/heads/cto/alpha/integration",
        old="1" * 40,
        new="2" * 40,
        tree=TREE,
        evidence="3" * 40,
    )
    return msgspec.structs.replace(made, **changes)


def verdict(gate="tests", status="pass", tree=TREE, by=None) -> Verdict:
    definition = gate_definition(by or policy(), gate)
    return Verdict(gate=gate, status=status, reason="r", tree=tree, definition=definition)


def dispatch(by=None, *, charged=0, live=0, isolation="strict", **kind) -> Decision:
    return decide_dispatch(
        by or policy(), attempt(**kind), charged=charged, live=live, isolation=isolation
    )


def land(*verdicts, by=None, tier="P1", **changes) -> Decision:
    return decide_landing(by or policy(), attempt(tier), landing(**changes), verdicts)


def done(*verdicts, landed="2" * 40, **changes) -> Decision:
    return decide_done(
        policy(), attempt(), landing(**changes), verdicts, Arrival(commit=landed, push="not pushed")
    )


def test_dispatch_is_allowed_and_says_by_what():
    decision = dispatch(live=1)

    assert decision.verdict == "allow"
    assert (decision.action, decision.resource, decision.subject) == ("dispatch", "T1", "runner")
    assert decision.rule == "concurrency.max_workers"
    assert decision.policy == policy().digest
    assert decision.reason == "1 of 2 workers are live"
    assert decision.inputs == {
        "team": "alpha",
        "task": "T1",
        "tier": "P1",
        "role": "developer",
        "execution": "e1",
        "epoch": "3",
        "charged": "0",
        "live": "1",
        "isolation": "strict",
        "gates": "tests",
        "least_isolation": "landlock",
        "max_attempts": "2",
        "max_workers": "2",
        "provider": "agent",
        "workspace": "clone",
    }


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"live": 2}, "concurrency.max_workers"),
        ({"live": 7}, "concurrency.max_workers"),
        ({"charged": 2}, "retries.max_attempts"),
        ({"tier": "P2"}, "tiers.P2.gates"),
        ({"isolation": "detect"}, "tiers.P1.sandbox"),
        ({"isolation": "perfect"}, "tiers.P1.sandbox"),
        ({"tier": "P0", "isolation": "landlock"}, "tiers.P0.sandbox"),
        ({"role": "pilot"}, "roles.pilot"),
    ],
)
def test_dispatch_is_denied_by_the_rule_it_breaks(facts, rule):
    decision = dispatch(**facts)
    assert (decision.verdict, decision.rule) == ("deny", rule)


@pytest.mark.parametrize("level", ["strict", "landlock", "seatbelt"])
def test_levels_of_one_strength_stand_in_for_each_other(level):
    assert dispatch(isolation=level).verdict == "allow"


def test_a_tier_that_is_not_in_the_policy_refuses_like_an_empty_one():
    bare = policy(TEXT.split("[tiers", maxsplit=1)[0])

    assert required_gates(bare, "P1") == ()
    assert required_gates(bare, "P9") == ()
    assert dispatch(bare).rule == "tiers.P1.gates"
    assert dispatch(bare).verdict == "deny"
    assert land(by=bare).verdict == "deny"
    assert land(verdict(), by=bare).verdict == "deny"


def test_landing_needs_a_pass_of_every_gate():
    assert land(verdict()).verdict == "allow"
    assert land(verdict(), verdict("style"), tier="P0").verdict == "allow"

    decision = land(verdict(), tier="P0")
    assert (decision.verdict, decision.rule) == ("deny", "tiers.P0.gates")
    assert decision.reason == "style has not judged"
    assert decision.resource == "refs/heads/cto/alpha/integration"
    assert decision.inputs["verdict.tests"] == f"pass@{TREE}"


@pytest.mark.parametrize(
    ("given_verdict", "reason"),
    [
        (verdict(status="fail"), 'tests says "fail"'),
        (verdict(status="not_run"), 'tests says "not_run"'),
        (verdict(tree=OTHER), "tests judged another tree"),
        (
            verdict(by=policy(TEXT.replace('"make", "test"', '"true"'))),
            "tests judged under another definition",
        ),
    ],
)
def test_a_verdict_that_is_no_pass_here_denies(given_verdict, reason):
    decision = land(given_verdict)
    assert (decision.verdict, decision.reason) == ("deny", reason)


def test_landing_elsewhere_or_without_evidence_is_denied():
    assert land(verdict(), target="refs/heads/main").rule == "target"
    assert land(verdict(), target="refs/heads/main").verdict == "deny"
    assert land(verdict(), evidence="").rule == "core.evidence"
    assert land(verdict(), evidence="").verdict == "deny"


def test_done_needs_the_very_commit_and_passes_on_its_tree():
    assert done(verdict()).verdict == "allow"
    assert done(verdict(), verdict("style", tree=OTHER, status="fail")).verdict == "allow"

    denied = [
        done(),
        done(verdict(), landed="9" * 40),
        done(verdict(), landed="", new=""),
        done(verdict(tree=OTHER)),
        done(verdict(status="fail")),
        done(verdict(), verdict("style", status="not_run")),
        done(verdict(), evidence=""),
    ]
    assert [d.verdict for d in denied] == ["deny"] * len(denied)


def test_done_outlives_a_change_of_policy():
    later = policy(TEXT.replace('gates = ["tests"]', "gates = []"))
    decision = decide_done(
        later, attempt(), landing(), [verdict()], Arrival(commit="2" * 40, push="not pushed")
    )
    assert decision.verdict == "allow"


DECISIONS = [
    dispatch(),
    dispatch(live=2),
    dispatch(charged=2),
    dispatch(role="pilot"),
    dispatch(tier="P2"),
    land(verdict()),
    land(verdict(), tier="P0"),
    land(verdict(status="fail")),
    land(verdict(), target="refs/heads/main"),
    done(verdict()),
    done(),
]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: f"{d.action}-{d.rule}")
def test_every_decision_is_decided_the_same_again(decision):
    assert reevaluate(policy(), decision) == decision


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: f"{d.action}-{d.rule}")
def test_a_tampered_verdict_or_rule_is_seen(decision):
    turned = "deny" if decision.verdict == "allow" else "allow"
    for forged in (
        msgspec.structs.replace(decision, verdict=turned),
        msgspec.structs.replace(decision, rule="core.anything"),
        msgspec.structs.replace(decision, resource="elsewhere"),
        msgspec.structs.replace(decision, policy="0" * 64),
    ):
        assert reevaluate(policy(), forged) != forged


@pytest.mark.parametrize(
    ("decision", "changes"),
    [
        (dispatch(live=2), {"live": "1"}),
        (dispatch(), {"max_workers": "6"}),
        (dispatch(), {"live": "2"}),
        (dispatch(), {"live": "-1"}),
        (dispatch(), {"live": "many"}),
        (dispatch(), {"tier": "P2"}),
        (land(verdict(status="fail")), {"verdict.tests": f"pass@{TREE}"}),
        (land(verdict()), {"tree": OTHER}),
        (land(verdict()), {"definition.tests": "0" * 64}),
        (land(verdict()), {"gates": "style"}),
        (done(verdict()), {"landed": "9" * 40}),
    ],
)
def test_tampered_inputs_are_seen(decision, changes):
    forged = msgspec.structs.replace(decision, inputs={**decision.inputs, **changes})
    assert reevaluate(policy(), forged) != forged


@pytest.mark.parametrize("decision", [DECISIONS[0], DECISIONS[5], DECISIONS[9]])
def test_a_missing_input_denies(decision):
    derived = {"gates", "least_isolation", "max_attempts", "max_workers", "provider", "workspace"}
    for key in set(decision.inputs) - derived - {"definition.tests"}:
        inputs = {k: v for k, v in decision.inputs.items() if k != key}
        again = reevaluate(policy(), msgspec.structs.replace(decision, inputs=inputs))
        assert again.verdict == "deny", key


def test_an_unknown_action_is_denied():
    forged = msgspec.structs.replace(dispatch(), action="erase")
    assert reevaluate(policy(), forged).rule == "core.actions"
    assert reevaluate(policy(), forged).verdict == "deny"


@given(
    action=st.sampled_from(["dispatch", "landing", "done"]) | st.text(max_size=5),
    inputs=st.dictionaries(
        st.sampled_from(sorted(DECISIONS[5].inputs | DECISIONS[0].inputs)) | st.text(max_size=4),
        st.sampled_from(["", "0", "P1", "tests", "alpha", TREE, f"pass@{TREE}"])
        | st.text(max_size=9),
    ),
)
def test_reevaluating_anything_never_raises_and_a_pass_is_never_invented(action, inputs):
    forged = msgspec.structs.replace(dispatch(), action=action, inputs=inputs)
    again = reevaluate(policy(), forged)
    if action == "landing" and f"pass@{inputs.get('tree')}" != inputs.get("verdict.tests"):
        assert again.verdict == "deny"


def test_a_gates_definition_changes_with_anything_policy_says_of_it():
    texts = [
        TEXT,
        TEXT.replace('"make", "test"', '"make", "check"'),
        TEXT.replace("[gates.style]", "deadline_s = 5\n[gates.style]"),
        TEXT.replace("[gates.style]", 'plugin = "other"\n[gates.style]'),
    ]
    assert len({gate_definition(policy(text), "tests") for text in texts}) == len(texts)
    unrelated = TEXT.replace("max_workers = 2", "max_workers = 3")
    assert gate_definition(policy(unrelated), "tests") == gate_definition(policy(), "tests")


SCOPED = """\
version = 1
[gates.tests]
argv = ["true"]
[gates.paths]
[gates.docs]
plugin = "paths"
allowed = ["docs/**"]
"""


def test_a_gate_that_judges_paths_is_told_the_scope_and_its_own_table_wins():
    scoped = policy(SCOPED)

    assert gate_settings(scoped, "tests") == {"argv": ("true",)}
    assert gate_settings(scoped, "paths")["allowed"] == ("**",)
    assert "policy.toml" in gate_settings(scoped, "paths")["protected"]
    assert gate_settings(scoped, "docs")["allowed"] == ("docs/**",)
    assert "policy.toml" in gate_settings(scoped, "docs")["protected"]


def test_a_verdict_on_paths_does_not_outlive_a_change_of_scope():
    wider = policy(SCOPED + "[scope]\nprotected = []\n")

    assert gate_definition(wider, "paths") != gate_definition(policy(SCOPED), "paths")
    assert gate_definition(wider, "tests") == gate_definition(policy(SCOPED), "tests")


def test_an_attempt_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        attempt().epoch = 4
