"""The engine on strategies and histories that nobody wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gitcto.model.agent_records import Fault
from gitcto.model.step_records import Step, StepState
from gitcto.strategies.advance import advance, approved
from gitcto.strategies.check import complaints
from gitcto.strategies.records import (
    COMBINES,
    DEFAULT,
    Action,
    Finish,
    GiveUp,
    Source,
    Start,
    Strategy,
    StrategyStep,
)
from tests.strategies.histories import Came, asked, begun, ended, must_be_right, outcomes, shipped

FAULTS = ("internal", "quota")
LADDERS: tuple[tuple[Action, ...], ...] = (
    (),
    ("retry",),
    ("retry", "other provider"),
    ("other provider", "degrade"),
    ("degrade",),
    ("stop",),
)


def step(name: str, kind: str, seat: str, group: str, reads: tuple[str, ...]) -> StrategyStep:
    sources = tuple(Source(*each.partition(":")[::2]) for each in reads)
    return StrategyStep(
        name=name, role=name, kind=kind, seat=seat, group=group, reads=sources, failures={}
    )


@st.composite
def made_up(draw: st.DrawFn) -> Strategy:
    """Draw a strategy: writers, perhaps a planner, reviewers and an adjudicator."""
    two, reviewers = draw(st.booleans()), draw(st.integers(0, 2))
    seats = ("main", "second") if two else ("main",)
    judges = [f"review_{seat}_{n}" for seat in seats for n in range(reviewers)]
    told = tuple(f"findings:{name}" for name in (*judges, *(("choose",) if two else ())))
    steps = []
    if draw(st.booleans()):
        steps.append(step("plan", "plan", "", "", ("task",)))
    steps += [
        step(f"w_{seat}", "write", seat, "w" if two else "", ("task", *told)) for seat in seats
    ]
    steps += [
        step(name, "review", "", "r" if len(judges) > 1 else "", ("task", f"patch:{seat}"))
        for name, seat in zip(judges, [s for s in seats for _ in range(reviewers)], strict=True)
    ]
    if two:
        steps.append(step("choose", "adjudicate", "", "", ("patch:main", "patch:second")))
    rounds = draw(st.integers(1, 3)) if judges or two else 1
    combine = draw(st.sampled_from(COMBINES))
    strategy = Strategy(
        name="x",
        summary="x",
        roles={},
        steps=tuple(_failing(draw, each) for each in steps),
        combine=combine,
        rounds=rounds,
    )
    assume(not list(complaints(strategy)))
    return strategy


def _failing(draw: st.DrawFn, one: StrategyStep) -> StrategyStep:
    keys = (DEFAULT, "quota", *(("no_verdict",) if one.judges else ()))
    may = [
        ladder for ladder in LADDERS if "degrade" not in ladder or one.kind in ("plan", "review")
    ]
    never = [ladder for ladder in LADDERS if "degrade" not in ladder]
    failures: Mapping[str, tuple[Action, ...]] = {
        key: draw(st.sampled_from(never if key == "no_verdict" else may)) for key in keys
    }
    return replace(one, failures=failures)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(made_up(), st.data())
def test_whatever_happens_it_ends_within_its_bound(strategy: Strategy, data: st.DataObject) -> None:
    steps: list[Step] = []
    started = 0
    while True:
        move = advance(strategy, steps)
        assert move == advance(strategy, data.draw(st.permutations(steps)))
        if not isinstance(move, Start):
            break
        running = [each for each in steps if each.runs]
        for order in move.orders:
            assert order.seat not in {each.seat for each in steps if each.runs}
            steps.append(begun(order, steps, data.draw(st.sampled_from(["p", "q"]))))
        started += len(move.orders)
        assert started <= strategy.most_steps
        assert move.orders or running
        running = [each for each in steps if each.runs]
        one = data.draw(st.sampled_from(running))
        came = data.draw(st.sampled_from(list(outcomes(asked(one), FAULTS))))
        steps[steps.index(one)] = ended(one, came)
    must_be_right(strategy, steps, move)
    assert "\n" not in move.path


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(shipped())), st.data())
def test_any_steps_at_all_give_a_move(name: str, data: st.DataObject) -> None:
    strategy = shipped()[name]
    names = st.sampled_from([*(each.name for each in strategy.steps), "stranger"])
    steps = [
        Step(
            number=data.draw(st.integers(-2, 9)),
            name=data.draw(names),
            role="r",
            provider=data.draw(st.sampled_from(["", "p"])),
            seat=data.draw(st.sampled_from(["main", "second", "x"])),
            state=data.draw(st.sampled_from(StepState)),
            fault=data.draw(st.sampled_from([None, Fault(kind="rate")])),
            verdict=data.draw(st.sampled_from(["", "approve", "reject", "none"])),
            chosen=data.draw(st.sampled_from(["", "main", "second"])),
            commit=data.draw(st.sampled_from(["", "c"])),
            reads=data.draw(st.sampled_from([{}, {"main": "c"}, {"main": "c", "second": "c"}])),
        )
        for _ in range(data.draw(st.integers(0, 8)))
    ]
    assert isinstance(advance(strategy, steps), Start | Finish | GiveUp)


@given(st.lists(st.sampled_from(["approve", "reject"]), max_size=5))
def test_how_verdicts_combine(verdicts: list[str]) -> None:
    yes, no = verdicts.count("approve"), verdicts.count("reject")
    assert approved("all", verdicts) == (no == 0)
    assert approved("any", verdicts) == (yes > 0 or not verdicts)
    assert approved("majority", verdicts) == (yes > no or not verdicts)


def test_who_failed_is_avoided_and_the_path_says_so() -> None:
    strategy = shipped()["codex_writes_gemini_reviews"]
    steps: list[Step] = []

    def go(came_to: dict[str, object], provider: str) -> None:
        move = advance(strategy, steps)
        assert isinstance(move, Start)
        begin = begun(move.orders[0], steps, provider)
        steps.append(ended(begin, Came(**came_to)))

    go({"fault": "quota", "retryable": False}, "codex")
    move = advance(strategy, steps)
    assert isinstance(move, Start)
    assert (move.orders[0].avoid, move.orders[0].why) == ((), "other provider after quota")
    go({}, "gemini")
    go({"verdict": "none"}, "codex")
    go({"verdict": "none"}, "codex")
    move = advance(strategy, steps)
    assert isinstance(move, Start)
    assert move.orders[0].avoid == ("codex",)
    go({"verdict": "reject"}, "pi")
    again = advance(strategy, steps)
    assert isinstance(again, Start)
    order = again.orders[0]
    assert (order.step, order.why, order.session_of) == ("write", "round 2", "write")
    assert [reading.what for reading in order.given] == ["task", "findings"]
    go({}, "gemini")
    go({"verdict": "approve"}, "codex")
    assert advance(strategy, steps) == Finish(
        seat="main",
        path="write by codex: quota, another provider was asked; write by gemini: done; "
        "review by codex: no_verdict, asked again; review by codex: no_verdict, another provider "
        "was asked; review by pi: rejected; round 2; write by gemini: done; "
        "review by codex: approved",
    )


def nobody(strategy: Strategy, *before: Came) -> object:
    """Return the move after steps, of which the last one failed and nobody else may do it."""
    history: list[Step] = []
    for came in (*before, Came(fault="refused", retryable=False)):
        move = advance(strategy, history)
        assert isinstance(move, Start)
        provider = "" if came.fault == "refused" else "p"
        history.append(ended(begun(move.orders[0], history, provider), came))
    return advance(strategy, history)


def test_nobody_to_fill_an_order_takes_the_next_rung() -> None:
    move = nobody(shipped()["plan_then_write"], Came(fault="quota", retryable=False))
    assert isinstance(move, Start)
    assert move.orders[0].step == "write"
    assert [reading.what for reading in move.orders[0].given] == ["task"]


def test_a_failure_that_nobody_else_mends_is_what_an_attempt_ends_with() -> None:
    strategy = reviewing(("degrade",), rate=("other provider",))
    move = nobody(strategy, Came(), Came(fault="rate"))
    assert isinstance(move, GiveUp)
    assert (move.reason, move.step, move.retryable) == ("step_failed", 2, True)
    assert move.detail == "review by p: rate"


def test_a_judge_that_gave_no_verdict_is_not_left_out_because_nobody_else_may_judge() -> None:
    move = nobody(reviewing(("other provider", "degrade")), Came(), Came(verdict="none"))
    assert isinstance(move, GiveUp)
    assert (move.reason, move.step) == ("no_verdict", 2)


def test_a_reviewer_that_rejected_cannot_be_left_out_later() -> None:
    strategy = reviewing(("degrade",))
    history: list[Step] = []
    for came in (Came(), Came(verdict="reject"), Came(), Came(fault="quota")):
        move = advance(strategy, history)
        assert isinstance(move, Start)
        history.append(ended(begun(move.orders[0], history), came))
    move = advance(strategy, history)
    assert isinstance(move, GiveUp)
    assert move.reason == "unapproved"


def test_steps_of_another_strategy_are_not_gone_on_with() -> None:
    history = [Step(number=1, name="attack", role="r", provider="p", state=StepState.ENDED)]
    move = advance(shipped()["single_worker"], history)
    assert isinstance(move, GiveUp)
    assert (move.reason, move.retryable) == ("strategy_changed", True)


def reviewing(ladder: tuple[Action, ...], **more: tuple[Action, ...]) -> Strategy:
    """Return a strategy with this list of what is done about failures of its reviewer."""
    found = shipped()["codex_writes_gemini_reviews"]
    steps = tuple(
        replace(each, failures={DEFAULT: ladder, **more} if each.kind == "review" else {})
        for each in found.steps
    )
    return replace(found, steps=steps)


def reviewed(came: Came, ladder: tuple[Action, ...]) -> object:
    strategy = reviewing(ladder)
    history: list[Step] = []
    for each in (Came(), came):
        move = advance(strategy, history)
        assert isinstance(move, Start)
        history.append(ended(begun(move.orders[0], history), each))
    return advance(strategy, history)


def test_no_verdict_refuses_whatever_is_done_about_other_failures() -> None:
    assert isinstance(reviewed(Came(fault="rate"), ("degrade",)), Finish)
    move = reviewed(Came(verdict="none"), ("degrade",))
    assert isinstance(move, GiveUp)
    assert (move.reason, move.step) == ("no_verdict", 2)


def test_a_judge_that_failed_has_approved_of_nothing() -> None:
    move = reviewed(Came(fault="protocol", verdict="approve"), ())
    assert isinstance(move, GiveUp)
    assert move.reason == "step_failed"
