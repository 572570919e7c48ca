"""Who may do a step, who may not and why: decided, and decided again."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from gitcto.model.records import Decision, TaskSpec
from gitcto.policy.decisions import Attempt, reevaluate
from gitcto.policy.eligibility import Asked, Selection, denied_by, select
from gitcto.policy.eligibility_rule import Candidate, as_fact, from_fact
from gitcto.policy.load import parse
from gitcto.policy.records import Policy
from gitcto.policy.stages import stages

BASE = """version = 1
[gates.tests]
[tiers.P1]
gates = ["tests"]
[providers.codex]
[providers.gemini]
[providers.mine]
plugin = "command"
argv = ["x"]
[providers.fake]
[providers.case]
[providers.strange]
"""
HASH, OTHER = "a" * 64, "b" * 64
SHIPPED = Candidate(plugin="codex", shipped=True, backend=HASH, admission="A1", admitted=HASH)
GEMINI = Candidate(plugin="gemini", shipped=True, backend=HASH, admission="A2", admitted=HASH)
CASE = Candidate(
    plugin="case",
    shipped=True,
    gated=True,
    backend=HASH,
    admission="A3",
    admitted=HASH,
    stage="owned",
)
STRANGE = Candidate(plugin="strange", backend=HASH, admission="A4", admitted=HASH, stage="fixture")
FREE = Candidate(plugin="fake", shipped=True)
COMMAND = Candidate(plugin="command", shipped=True, backend=HASH)


def policy(providers: str, *more: str) -> Policy:
    text = f"{BASE}[roles.developer]\n{providers}\n" + "\n".join(more)
    return parse(text.encode(), "policy.toml")


def asked(known: dict[str, Candidate], **changes: object) -> Asked:
    task = TaskSpec(id="T-1", title="t", role=str(changes.pop("role", "developer")))
    made = {
        "attempt": Attempt(actor="ada", team="t", task=task, execution="x", epoch=1),
        "strategy": "single_worker",
        "step": "write",
        "part": "writer",
        "edits": True,
    }
    return Asked(**{**made, "providers": known, **changes})  # type: ignore[arg-type]


def chosen(providers: str, known: dict[str, Candidate], *more: str, **changes: object) -> Selection:
    read = policy(providers, *more)
    changes.setdefault("asked", read.roles["developer"].providers)
    return select(read, asked(known, **changes))


def again(decision: Decision, providers: str, *more: str) -> Decision:
    return reevaluate(policy(providers, *more), decision)


def test_the_first_that_may_is_chosen_and_everything_is_said() -> None:
    away = replace_in(SHIPPED, unavailable="codex is not installed")
    made = chosen('providers = ["codex", "gemini"]', {"codex": away, "gemini": GEMINI})
    assert made.provider == "gemini"
    assert made.denied == {"codex": "codex is not installed"}
    inputs = made.decision.inputs
    assert made.decision.action == "eligibility"
    assert inputs["risk"] == "P1"
    assert inputs["gates"] == "tests"
    assert inputs["mutation"] == "edit"
    assert inputs["class"] == "owned"
    assert inputs["candidates"] == "codex,gemini"
    assert inputs["escalation"] == "make codex work on this machine (`git cto doctor`)"
    assert made.decision.reason == "gemini may, before it 1 denied"
    assert made.decision.rule == "roles.developer.providers"


def test_the_order_is_the_policys() -> None:
    both = {"codex": SHIPPED, "gemini": GEMINI}
    assert chosen('providers = ["codex", "gemini"]', both).provider == "codex"
    assert chosen('providers = ["gemini", "codex"]', both).provider == "gemini"
    assert chosen('provider = "codex"', both).provider == "codex"


def replace_in(candidate: Candidate, **changes: object) -> Candidate:
    return Candidate(**{**json.loads(as_fact(candidate)), **changes})


@pytest.mark.parametrize(
    ("change", "rule", "why"),
    [
        ({"plugin": ""}, "providers.codex.plugin", "no plugin provides"),
        ({"plugin": "evil"}, "providers.codex.plugin", "no plugin provides"),
        ({"unavailable": "gone"}, "providers.codex", "gone"),
        ({"backend": ""}, "core.admission", "does not say what it executes"),
        ({"admission": ""}, "core.admission", "its program is not admitted"),
        ({"backend": OTHER}, "core.admission", "not the one that was admitted as A1"),
        ({"boundary": "secrets/**"}, "core.boundary", "secrets/**"),
        ({"mode": "read"}, "core.admission.mode", "admitted to read"),
        ({"stage": "disposable"}, "core.stage", "may not work in a repository of class owned"),
        ({"stage": "gated"}, "engines.allowed", "not proved yet"),
        ({"shipped": False}, "engines.allowed", "not proved yet"),
        ({"avoid": "retry elsewhere"}, "core.fallback", "retry elsewhere"),
        ({"circuit": "open until noon"}, "core.circuit", "open until noon"),
    ],
)
def test_whatever_is_missing_denies(change: dict[str, object], rule: str, why: str) -> None:
    made = chosen('provider = "codex"', {"codex": replace_in(SHIPPED, **change)})
    assert made.provider == ""
    assert made.decision.verdict == "deny"
    assert made.decision.rule == rule
    assert why in made.denied["codex"]
    assert made.decision.inputs["mutation"] == "none"
    assert made.decision.inputs["escalation"]
    assert made.waits == (rule == "core.circuit")
    assert again(made.decision, 'provider = "codex"') == made.decision


def test_a_step_that_reads_may_be_done_by_what_is_admitted_to_read() -> None:
    made = chosen('provider = "codex"', {"codex": replace_in(SHIPPED, mode="read")}, edits=False)
    assert made.provider == "codex"
    assert made.decision.inputs["mutation"] == "read"


def test_a_judge_is_none_of_those_who_wrote() -> None:
    both = {"codex": SHIPPED, "gemini": GEMINI}
    made = chosen('providers = ["codex", "gemini"]', both, wrote=("codex",), edits=False)
    assert made.provider == "gemini"
    assert made.denied == {"codex": "it wrote what would be judged"}
    alone = chosen('provider = "codex"', both, wrote=("codex",), edits=False)
    assert (alone.provider, alone.decision.rule) == ("", "core.independence")
    assert not alone.waits


def test_a_second_name_for_the_same_agent_makes_no_other_judge_of_it() -> None:
    more = '[providers.twin]\nplugin = "codex"\n[providers.other]\nplugin = "codex"\nmodel = "m"'
    known = {"codex": SHIPPED, "twin": SHIPPED, "other": SHIPPED}
    made = chosen('providers = ["twin", "other"]', known, more, wrote=("codex",), edits=False)
    assert made.provider == "other"
    assert made.denied == {"twin": "it wrote what would be judged under the name of codex"}


def test_fake_and_commands_need_no_admission_unless_all_must_have_one() -> None:
    known = {"fake": FREE, "mine": COMMAND}
    every = '[admission]\nrequired = "all"'
    assert chosen('provider = "fake"', known).provider == "fake"
    assert chosen('provider = "mine"', known).provider == "mine"
    assert chosen('provider = "fake"', known, every).provider == "fake"
    denied = chosen('provider = "mine"', known, every)
    assert denied.denied == {"mine": "its program is not admitted"}
    admitted = {"mine": replace_in(COMMAND, admission="A", admitted=HASH)}
    assert chosen('provider = "mine"', admitted, every).provider == "mine"


def test_a_stranger_that_calls_itself_fake_is_one() -> None:
    stranger = replace_in(FREE, shipped=False)
    assert chosen('provider = "fake"', {"fake": stranger}).decision.rule == "engines.allowed"


@pytest.mark.parametrize(
    ("engines", "allowed", "rule"),
    [
        ((), "", "engines.allowed"),
        (("case",), "", "engines.allowed"),
        ((), '[engines]\nallowed = ["case"]', "core.engine"),
        (("other",), '[engines]\nallowed = ["case"]', "core.engine"),
        (("case",), '[engines]\nallowed = ["other"]', "engines.allowed"),
    ],
)
def test_a_gated_engine_needs_both_keys(engines: tuple[str, ...], allowed: str, rule: str) -> None:
    made = chosen('provider = "case"', {"case": CASE}, allowed, engines=engines)
    assert made.decision.rule == rule
    assert "gated engine" in made.denied["case"]
    both = '[engines]\nallowed = ["case"]'
    assert chosen('provider = "case"', {"case": CASE}, both, engines=("case",)).provider == "case"


@pytest.mark.parametrize("stage", [stage.name for stage in stages().order])
@pytest.mark.parametrize("kind", ["fixture", "copy", "disposable", "owned", "critical"])
def test_a_stage_allows_its_classes_and_no_others(stage: str, kind: str) -> None:
    place = {"gated": 0, "fixture": 0, "copy": 1, "disposable": 2, "owned": 3}.get(stage, 4)
    classes = ["fixture", "copy", "disposable", "owned", "critical"]
    known = {"strange": replace_in(STRANGE, stage=stage)}
    rules = (f'[repository]\nclass = "{kind}"', '[engines]\nallowed = ["strange"]')
    made = chosen('provider = "strange"', known, *rules, engines=("strange",))
    assert bool(made.provider) == (classes.index(kind) <= place)


def test_a_role_that_names_nobody_gets_who_has_earned_it() -> None:
    earned = replace_in(GEMINI, stage="candidate-default")
    known = {"codex": SHIPPED, "gemini": earned, "fake": FREE}
    assert chosen("", known).provider == "gemini"
    nobody = chosen("", {"codex": SHIPPED, "fake": FREE})
    assert nobody.decision.rule == "roles.developer.providers"
    assert "none has earned to be the default" in nobody.decision.reason


@pytest.mark.parametrize(
    "change",
    [
        {"selected": "gemini"},
        {"risk": "P2"},
        {"gates": ""},
        {"mutation": "read"},
        {"class": "fixture"},
        {"denied.gemini": "made up"},
        {"edits": "perhaps"},
        {"provider.codex": "{}"},
        {"provider.codex": '{"plugin":"codex","shipped":1}'},
        {"provider.codex": '{"plugin":"codex","master":true}'},
        {"provider.codex": "nonsense"},
        {"epoch": "-1"},
    ],
)
def test_a_decision_that_was_tampered_with_is_found(change: dict[str, str]) -> None:
    words = 'providers = ["codex", "gemini"]'
    made = chosen(words, {"codex": SHIPPED, "gemini": GEMINI}).decision
    assert again(made, words) == made
    forged = replace(made, inputs={**made.inputs, **change})
    assert again(forged, words) != forged


def test_a_decision_under_another_policy_is_found() -> None:
    made = chosen('provider = "codex"', {"codex": SHIPPED}).decision
    assert again(made, 'provider = "codex"', '[repository]\nclass = "critical"') != made


BOUND = """[strategies.single_worker.providers]
writer = ["gemini"]
"""


def test_what_policy_binds_to_a_part_nobody_else_can_do() -> None:
    known = {"codex": SHIPPED, "gemini": GEMINI}
    made = chosen('provider = "codex"', known, BOUND, asked=("gemini",))
    assert made.provider == "gemini"
    forged = chosen('provider = "codex"', known, BOUND, asked=("codex",))
    assert (forged.provider, forged.decision.rule) == ("", "core.inputs")
    assert again(made.decision, 'provider = "codex"', BOUND) == made.decision


def test_an_unknown_role_and_unknown_facts_deny() -> None:
    made = chosen('provider = "codex"', {"codex": SHIPPED}, role="judge")
    assert (made.provider, made.decision.rule) == ("", "roles.judge")
    unknown = chosen('provider = "codex"', {})
    assert (unknown.provider, unknown.decision.rule) == ("", "core.inputs")
    assert not unknown.waits


def test_what_is_usual_costs_nothing() -> None:
    assert as_fact(FREE) == '{"plugin":"fake","shipped":true}'
    assert from_fact({"provider.fake": as_fact(FREE)}, "fake") == FREE
    assert denied_by(chosen('provider = "fake"', {"fake": FREE}).decision) == {}


def test_the_stages_are_in_order_and_each_says_what_the_next_asks_for() -> None:
    order = stages().order
    assert [stage.name for stage in order] == [
        "gated",
        "fixture",
        "copy",
        "disposable",
        "owned",
        "candidate-default",
    ]
    assert all((stage.promotion is None) == (stage is order[-1]) for stage in order)
    assert stages().beginning("codex", shipped=True).name == "owned"
    assert stages().beginning("codex", shipped=False).name == "gated"
    assert stages().beginning("case", shipped=True).name == "gated"
    for stage in order[1:-1]:
        assert stage.promotion is not None
        assert stage.promotion.where == stage.repositories[-1]
        assert stage.promotion.landed
        assert stage.promotion.validator == "proof"
    assert order[-2].promotion is not None
    assert order[-2].promotion.compared_with == ("codex", "fake", "pi")
