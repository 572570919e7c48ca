"""What the ledger lets happen to a drafted plan."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.codec import Event
from gitcto.model.commands import CreateTeam, ImportPlan, Refusal, Together
from gitcto.model.decide import decide
from gitcto.model.draft_commands import ApproveDraft, AskPlan, RecordDraft, RejectDraft
from gitcto.model.draft_records import MAX_DRAFTS, Asked, Draft
from gitcto.model.evolve import evolve
from gitcto.model.records import Decision, TaskSpec
from gitcto.model.state import State

DRAFT = Draft(
    id="d1",
    objective="Do it.",
    provider="p",
    base="b",
    policy="c",
    digest="e" * 64,
    plan="f",
    answer="a",
    tasks=1,
    problems=0,
)


def decision(verdict: str = "allow") -> Decision:
    return Decision(
        action="plan",
        resource="d1",
        subject="ada",
        rule="core.drafts",
        policy="c",
        inputs={},
        verdict=verdict,
        reason="why",
    )


ASK = AskPlan(asked=Asked(id="d1", objective="Do it.", provider="p", base="b"), decision=decision())
RECORD = RecordDraft(draft=DRAFT)
APPROVE = ApproveDraft(draft="d1", digest="e" * 64, by="ada", decision=decision())
PLAN = ImportPlan(source="draft d1", digest="e" * 64, tasks=(TaskSpec(id="A", title="a"),))


def after(*commands: Any) -> State:
    state = State()
    for command in (CreateTeam(team="main", target="refs/heads/x"), *commands):
        answer = decide(state, command, 5_000)
        assert not isinstance(answer, Refusal), answer
        for body in answer:
            event = Event(id="", ts=5_000, actor="", prev="", v=body.VERSION, body=body)
            state.put(evolve(state, event, 1))
    return state


def drafted(**changes: Any) -> State:
    usage = Usage(input_tokens=7)
    return after(ASK, RecordDraft(draft=replace(DRAFT, **changes), usage=usage, wall_ms=2_000))


def refused(state: State, command: Any) -> str:
    answer = decide(state, command, 6_000)
    assert isinstance(answer, Refusal)
    return answer.code


def test_a_draft_waits_until_it_is_approved_together_with_its_tasks() -> None:
    state = drafted()
    assert state.team.drafts["d1"].created_ms == 5_000
    assert state.team.used.providers["p"].usage.tokens == 7
    assert state.tasks == {}
    state = after(ASK, RECORD, Together(commands=(APPROVE, PLAN)))
    assert state.team.drafts == {}
    assert list(state.tasks) == ["A"]
    assert refused(state, APPROVE) == "no_draft"


@pytest.mark.parametrize("changes", [{"problems": 1}, {"tasks": 0}, {"digest": "0" * 64}])
def test_what_is_wrong_or_another_one_cannot_be_approved(changes: dict[str, Any]) -> None:
    state = drafted(**changes)
    assert refused(state, Together(commands=(APPROVE, PLAN))) == "bad_draft"
    assert state.tasks == {}


def test_a_run_that_met_an_empty_account_parks_its_provider() -> None:
    fault = Fault(kind="quota", detail="no money", retryable=False)
    failed = RecordDraft(draft=replace(DRAFT, tasks=0), fault=fault)
    assert after(ASK, failed).team.circuits["p"].detail == "no money"


def test_a_denied_decision_approves_of_nothing() -> None:
    denied = replace(APPROVE, decision=decision("deny"))
    assert refused(drafted(), Together(commands=(denied, PLAN))) == "denied"


def test_a_rejected_draft_is_gone_and_a_failed_run_has_no_tasks() -> None:
    state = after(ASK, RECORD, RejectDraft(draft="d1", by="ada"))
    assert state.team.drafts == {}
    assert refused(state, RejectDraft(draft="d1", by="ada")) == "no_draft"
    failed = RecordDraft(draft=DRAFT, fault=Fault(kind="quota"))
    assert refused(after(ASK), failed) == "bad_draft"


def test_a_draft_is_asked_for_and_comes_once() -> None:
    assert after(ASK).team.asked["d1"].asked_ms == 5_000
    assert drafted().team.asked == {}
    assert refused(after(), RECORD) == "not_asked"
    assert refused(drafted(), RECORD) == "not_asked"
    assert refused(drafted(), ASK) == "draft_exists"
    assert refused(after(ASK), ASK) == "draft_exists"
    assert refused(after(), replace(ASK, decision=decision("deny"))) == "denied"
    withdrawn = after(ASK, RejectDraft(draft="d1", by="ada"))
    assert withdrawn.team.asked == {}
    assert refused(withdrawn, RECORD) == "not_asked"


def test_so_many_drafts_wait_and_no_more() -> None:
    asked = [replace(ASK, asked=replace(ASK.asked, id=f"x{n}")) for n in range(MAX_DRAFTS - 1)]
    assert refused(after(ASK, RECORD, *asked), replace(ASK, asked=replace(ASK.asked, id="y"))) == (
        "drafts_full"
    )
