"""What the scheduler does in one situation each; the failures of other queues by their names."""

from __future__ import annotations

import pytest

from gitcto.queue.actions import Cancel, Eject, Hold, Land, Reject, Start
from gitcto.queue.chances import Chances
from gitcto.queue.decide import HOPELESS, STUMBLES, decide
from gitcto.queue.order import AGEING_MS, DUE, ordered
from gitcto.queue.records import (
    Ejected,
    Enqueued,
    Item,
    Landed,
    Paused,
    Rejected,
    Resumed,
    Run,
    RunEnded,
    RunKind,
    RunStarted,
    TargetMoved,
    Verdict,
)
from gitcto.queue.settings import Settings, adapted
from gitcto.queue.state import Queue, after, fold
from gitcto.queue.trials import Finding, trials
from tests.queue.worlds import (
    PLAIN,
    TESTS,
    Sure,
    ended,
    item,
    queue_of,
    reasons,
    started,
    starts,
)

GREEN, RED, NOT_RUN = Verdict.GREEN, Verdict.RED, Verdict.NOT_RUN


def confirmed(queue: Queue, verdict: Verdict) -> Queue:
    """Return the queue after all the confirmations it asks for, until it asks for none."""
    while True:
        asked = [run for run in starts(decide(queue, 99, PLAIN, 0)) if run.confirms]
        if not asked:
            return queue
        for run in asked:
            queue = ended(after(queue, RunStarted(run=run)), run.number, verdict)


def test_a_burst_starts_units_in_the_order_of_the_queue() -> None:
    queue = queue_of(*(f"x{number:02}" for number in range(12)))
    runs = starts(decide(queue, 3, Sure(good=0.99), 0))
    assert [run.unit for run in runs] == [
        tuple(f"x{number:02}" for number in range(at, at + 4)) for at in (0, 4, 8)
    ]
    assert all(run.tree[-4:] == run.unit for run in runs)


def test_a_risky_change_is_judged_alone() -> None:
    runs = starts(decide(queue_of("a", "b", "c"), 1, Sure(good=0.99, a=0.3), 0))
    assert [run.unit for run in runs] == [("a",)]


def test_no_more_than_the_capacity_is_started() -> None:
    queue = queue_of(*"abcdef")
    assert len(starts(decide(queue, 2, Sure(good=0.3), 0))) == 2
    assert starts(decide(started(queue, "a"), 1, Sure(good=0.3), 0)) == []


def test_a_likely_unit_carries_the_next_one_and_an_unlikely_one_does_not() -> None:
    queue = started(queue_of(*"ab"), "a")
    likely, unlikely = (decide(queue, 2, Sure(good=good), 0) for good in (0.95, 0.75))
    assert [(run.prefix, run.unit) for run in starts(likely)] == [(("a",), ("b",))]
    assert [(run.prefix, run.unit) for run in starts(unlikely)] == [((), ("b",))]


def test_a_green_run_lands_on_exactly_its_tip() -> None:
    queue = ended(started(started(queue_of(*"ab"), "a"), "b"), 1, GREEN)
    assert decide(queue, 2, Sure(good=0.3), 0) == (Land(number=1, items=("a",)),)
    queue = ended(after(queue, Landed(number=1)), 2, GREEN)
    runs = starts(decide(queue, 2, PLAIN, 0))
    assert [(run.tip, run.tree) for run in runs] == [(1, ("b",))]


def test_a_stacked_run_stays_on_the_tip_when_what_is_below_it_lands() -> None:
    queue = ended(started(started(queue_of(*"ab"), "a"), "b", "a"), 1, GREEN)
    queue = ended(after(queue, Landed(number=1)), 2, GREEN)
    assert decide(queue, 2, PLAIN, 0) == (Land(number=2, items=("b",)),)


def test_zero_checks_are_not_read_as_green() -> None:
    """gascity-packs#235."""
    queue = started(queue_of("a"), "a")
    queue = after(queue, RunEnded(number=1, verdict=GREEN, executed=0))
    assert [type(action) for action in decide(queue, 1, PLAIN, 0)] == [Start]


def test_a_gate_that_never_ran_is_nobodys_fault_and_no_green() -> None:
    """gastown#4469, gascity-packs#250: exit 127 was taken for a failure from before."""
    queue = queue_of("a")
    for number in range(1, STUMBLES + 1):
        queue = ended(started(queue, "a"), number, NOT_RUN)
    actions = decide(queue, 1, PLAIN, 0)
    assert reasons(actions) == [f"the gates did not run {STUMBLES} times in a row"]
    assert len(actions) == 1
    assert starts(decide(after(queue, Resumed()), 1, PLAIN, 0))


def test_a_change_that_the_harness_cannot_judge_goes_to_a_person() -> None:
    queue = queue_of("a", "b")
    for number in range(1, 2 * HOPELESS, 2):
        queue = ended(started(queue, "a"), number, NOT_RUN)
        queue = ended(started(queue, "b"), number + 1, GREEN)
    (action,) = decide(queue, 1, PLAIN, 0)
    assert isinstance(action, Eject)
    assert action.item == "a"


def test_c_is_not_ejected_for_the_fault_of_b() -> None:
    """GitLab #500693: the train's C ended first, red with B below it."""
    queue = ended(started(started(queue_of(*"bc"), "b"), "c", "b"), 2, RED)
    while [run for run in starts(decide(queue, 9, PLAIN, 0)) if run.confirms]:
        asked = [run for run in starts(decide(queue, 9, PLAIN, 0)) if run.confirms]
        for run in asked:
            verdict = RED if "b" in run.tree else GREEN
            queue = ended(after(queue, RunStarted(run=run)), run.number, verdict)
    assert not [one for one in decide(queue, 9, PLAIN, 0) if isinstance(one, Reject)]
    queue = confirmed(ended(queue, 1, RED), RED)
    assert [one.item for one in decide(queue, 9, PLAIN, 0) if isinstance(one, Reject)] == ["b"]
    queue = after(queue, Rejected(item="b"))
    assert [run.tree for run in starts(decide(queue, 9, PLAIN, 0))] == [("c",)]


def test_a_change_is_rejected_after_two_confirmations_of_its_own_red() -> None:
    queue = ended(started(queue_of("a"), "a"), 1, RED)
    for number in (2, 3):
        (action,) = decide(queue, 1, PLAIN, 0)
        assert isinstance(action, Start)
        assert (action.run.kind, action.run.tests) == (RunKind.CONFIRM, TESTS)
        queue = ended(after(queue, RunStarted(run=action.run)), number, RED)
    assert decide(queue, 1, PLAIN, 0) == (Reject(item="a", number=1, confirmations=(2, 3)),)


def test_a_flake_is_cleared_by_running_what_failed_again() -> None:
    queue = confirmed(ended(started(queue_of("a"), "a"), 1, RED), GREEN)
    assert decide(queue, 1, PLAIN, 0) == (Land(number=1, items=("a",)),)


def test_whose_fault_a_red_unit_is_comes_out_by_its_failing_tests_alone() -> None:
    queue = ended(started(queue_of(*"abc"), "abc"), 1, RED)
    (whole,) = starts(decide(queue, 9, PLAIN, 0))
    assert whole.tree == ("a", "b", "c")
    queue = ended(after(queue, RunStarted(run=whole)), 2, RED)
    while runs := [run for run in starts(decide(queue, 9, PLAIN, 0)) if run.confirms]:
        for run in runs:
            queue = after(queue, RunStarted(run=run))
            queue = ended(queue, run.number, RED if run.unit == ("b",) else GREEN)
    (action,) = decide(queue, 9, PLAIN, 0)
    assert isinstance(action, Reject)
    assert action.item == "b"
    assert len(action.confirmations) == 3
    (run,) = starts(decide(after(queue, Rejected(item="b")), 9, PLAIN, 0))
    assert run.tree == ("a", "c")


def test_a_red_unit_without_named_tests_is_split() -> None:
    queue = ended(started(queue_of(*"abcd"), "abcd"), 1, RED, failed=())
    runs = starts(decide(queue, 9, PLAIN, 0))
    assert sorted(name for run in runs for name in run.unit) == ["a", "b", "c", "d"]
    assert all(len(run.unit) < 4 for run in runs)


def test_changes_that_clash_are_judged_apart_and_nobody_is_blamed() -> None:
    queue = started(queue_of(*"abc"), "abc")
    queue = after(queue, RunEnded(number=1, verdict=None, clash=("b", "a")))
    runs = starts(decide(queue, 9, Sure(good=0.99), 0))
    assert sorted(name for run in runs for name in run.unit) == ["a", "b", "c"]
    assert not any({"a", "b"} <= set(run.tree) for run in runs)
    queue = ended(started(queue, "a"), 2, GREEN)
    queue = after(queue, Landed(number=2))
    assert queue.clashes == frozenset()


def test_cleared_changes_that_clash_ride_on_no_common_run() -> None:
    queue = ended(ended(started(started(queue_of(*"abc"), "a"), "b"), 1, GREEN), 2, GREEN)
    queue = after(queue, Landed(number=1))
    queue = after(started(queue, "cb"), RunEnded(number=3, verdict=None, clash=("b", "c")))
    runs = starts(decide(queue, 9, Sure(good=0.99), 0))
    assert sorted(run.tree for run in runs) == [("b",), ("c",)]


def test_what_was_withdrawn_may_come_back() -> None:
    queue = after(queue_of("a"), Ejected(item="a"))
    queue = after(queue, Enqueued(item=item("a", 1), overtaken=3))
    assert (queue.ejected, queue.overtaken) == (frozenset(), {"a": 3})
    assert [run.unit for run in starts(decide(queue, 1, PLAIN, 0))] == [("a",)]


def test_a_tree_that_holds_a_red_one_is_implied_red() -> None:
    queue = started(started(queue_of(*"abc"), "ab"), "c", "ab")
    queue = ended(queue, 1, RED, failed=())
    assert decide(queue, 2, PLAIN, 0) == (Cancel(number=2, reason="a part of it is red"),)


def test_a_later_green_that_contains_a_red_clears_it() -> None:
    """As Trunk does."""
    queue = ended(started(started(queue_of(*"ab"), "a"), "b", "a"), 1, RED)
    queue = ended(queue, 2, GREEN)
    assert [trial.finding for trial in trials(queue)] == [Finding.MOOT]
    assert decide(queue, 2, PLAIN, 0) == (Land(number=2, items=("a", "b")),)


def test_a_p0_change_is_judged_alone_and_the_tip_waits_for_it() -> None:
    queue = after(queue_of("a", "b"), Enqueued(item=item("hot", 3, tier="P0")))
    first, *_ = starts(decide(queue, 3, PLAIN, 0))
    assert (first.prefix, first.unit) == ((), ("hot",))
    queue = ended(started(started(queue, "a"), ["hot"]), 1, GREEN)
    actions = decide(queue, 2, PLAIN, 0)
    assert reasons(actions) == ["hot is being judged alone on this tip"]
    assert not [action for action in actions if isinstance(action, Land | Cancel)]


def test_two_p0_changes_are_not_judged_at_once() -> None:
    queue = queue_of("a", "b", tier="P0")
    assert [run.unit for run in starts(decide(queue, 4, PLAIN, 0))] == [("a",)]


def test_clean_merges_are_not_starved_by_newer_ones() -> None:
    """gascity-packs#272: newest first left five clean merges waiting for 44 to 49 hours."""
    queue = queue_of("old", priority="low")
    for number in range(2, 40):
        queue = after(queue, Enqueued(item=item(f"n{number}", number, priority="urgent")))
        (first, *_) = ordered(queue, 0)
        queue = started(queue, [first.id])
        queue = ended(queue, queue.runs, GREEN)
        queue = after(queue, Landed(number=queue.runs))
        if first.id == "old":
            break
    assert "old" in queue.landed
    assert len(queue.landed) == DUE + 1


def test_nothing_lands_over_a_change_that_was_overtaken_sixteen_times() -> None:
    queue = queue_of("old")
    for number in range(2, 19):
        queue = after(queue, Enqueued(item=item(f"n{number}", number)))
        queue = started(queue, [f"n{number}"])
        queue = ended(queue, queue.runs, GREEN)
        actions = decide(queue, 1, PLAIN, 0)
        landed = [action for action in actions if isinstance(action, Land)]
        if not landed:
            break
        queue = after(queue, Landed(number=landed[0].number))
    assert queue.overtaken["old"] == 16
    assert "old must not be overtaken once more" in reasons(actions)
    assert [run.unit[0] for run in starts(actions)] == ["old"]


def test_waiting_raises_a_change_by_a_band() -> None:
    queue = fold([Enqueued(item=item("a", 1, priority="high"))])
    patient = item("b", 2, priority="low")
    queue = after(queue, Enqueued(item=patient))
    assert [one.id for one in ordered(queue, 0)] == ["a", "b"]
    late = Enqueued(item=Item(id="c", seq=3, enqueued_ms=3 * AGEING_MS))
    names = [one.id for one in ordered(after(queue, late), 3 * AGEING_MS)]
    assert names == ["a", "b", "c"]


def test_nothing_starts_or_lands_while_the_queue_is_paused() -> None:
    queue = after(ended(started(queue_of(*"ab"), "a"), 1, GREEN), Paused())
    assert decide(queue, 2, PLAIN, 0) == (Hold(items=(), reason="the queue is paused"),)
    assert isinstance(decide(after(queue, Resumed()), 2, PLAIN, 0)[0], Land)


def test_what_was_withdrawn_takes_its_runs_along() -> None:
    """A push over a change makes what was judged of it void at once (gascity-packs#235)."""
    queue = started(started(queue_of(*"ab"), "a"), "b", "a")
    queue = after(queue, Ejected(item="a"))
    actions = decide(queue, 2, PLAIN, 0)
    assert actions == (
        Cancel(number=1, reason="a has left the queue"),
        Cancel(number=2, reason="a has left the queue"),
    )


def test_a_green_of_what_was_withdrawn_does_not_land() -> None:
    queue = ended(started(queue_of(*"ab"), "ab"), 1, GREEN)
    actions = decide(after(queue, Ejected(item="a")), 2, PLAIN, 0)
    assert [run.tree for run in starts(actions)] == [("b",)]


def test_a_target_that_somebody_moved_is_judged_once_before_anything_else() -> None:
    queue = after(queue_of("a"), TargetMoved())
    (action,) = decide(queue, 6, PLAIN, 0)
    assert isinstance(action, Start)
    assert (action.run.kind, action.run.tree, action.run.tip) == (RunKind.SWEEP, (), 1)
    queue = after(queue, RunStarted(run=action.run))
    assert starts(decide(queue, 6, PLAIN, 0)) == []
    red = ended(queue, 1, RED)
    assert reasons(decide(red, 6, PLAIN, 0)) == ["the target is red by itself"]
    assert starts(decide(ended(queue, 1, GREEN), 6, PLAIN, 0))[0].unit == ("a",)


def test_where_everything_overlaps_prefixes_are_searched_and_clashes_go_one_by_one() -> None:
    queue = queue_of(*(f"x{number}" for number in range(20)), paths={"same"})
    calm, wild = (
        adapted(Settings(), queue, Chances(queue, Sure(conflict=conflict), (), ()))
        for conflict in (0.003, 0.2)
    )
    assert (calm.stack, calm.most) == (Settings().floor, None)
    assert wild.most == 1
    apart = queue_of(*"abcdef")
    assert adapted(Settings(), apart, Chances(apart, Sure(), (), ())) == Settings()


def test_half_of_a_red_tree_is_likelier_green_than_all_of_it() -> None:
    queue = ended(started(queue_of(*"abcd"), "abcd"), 1, RED, failed=())
    chances = Chances(queue, Sure(good=0.9), (), trials(queue))
    assert chances.of("abcd") == 0
    assert chances.of("a") == pytest.approx((0.9 - 0.9**4) / (1 - 0.9**4))
    assert chances.of("a") > chances.of("ab") > chances.of("abc")


def test_of_red_trees_only_the_smallest_count() -> None:
    queue = started(started(queue_of(*"abc"), "abc"), "ab")
    queue = ended(ended(queue, 1, RED, failed=()), 2, RED, failed=())
    assert Chances(queue, PLAIN, (), trials(queue)).red == [{"a", "b"}]


def test_the_plain_predictor_prefers_small_changes_by_trusted_authors() -> None:
    small, large = item("a", 1, lines=5), item("b", 2, lines=5000, paths=map(str, range(30)))
    doubted = item("c", 3, lines=5, failure_rate=0.5)
    assert PLAIN.good(small) > PLAIN.good(large) > PLAIN.good(doubted) > 0
    assert PLAIN.conflict(item("d", 4, paths="pq"), item("e", 5, paths="qr")) == 0.03


@pytest.mark.parametrize(
    "fact",
    [
        Enqueued(item=item("a", 9)),
        Rejected(item="z"),
        Ejected(item="z"),
        RunEnded(number=7, verdict=GREEN),
        RunStarted(run=Run(number=7, kind=RunKind.JUDGE, tip=0, unit=("a",))),
        Landed(number=1),
    ],
)
def test_facts_that_contradict_each_other_are_refused(fact) -> None:
    with pytest.raises(ValueError, match=r"is not|was enqueued|no verdict"):
        after(started(queue_of(*"ab"), "a"), fact)


def test_a_landing_that_is_not_on_the_tip_is_refused() -> None:
    queue = ended(ended(started(started(queue_of(*"ab"), "a"), "b"), 1, GREEN), 2, GREEN)
    with pytest.raises(ValueError, match="run 2 is not on the tip"):
        after(after(queue, Landed(number=1)), Landed(number=2))


def test_a_change_that_waits_again_is_not_judged_on_top_of_itself() -> None:
    """Its own run could not judge it, and a run that takes it to be good goes on."""
    queue = started(queue_of("a", "b", "c"), ["a"])
    queue = started(queue, ["b"], prefix=["a"])
    queue = ended(queue, 1, NOT_RUN)
    for run in starts(decide(queue, 4, Sure(good=0.99), 0)):
        assert len(set(run.tree)) == len(run.tree), run
