"""What the ledger's events say to the scheduler: as much as the facts that they stand for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.queue_bursts import Guesses, Shape, burst
from bench.queue_world import World
from gitcto.model import queue_events as ev
from gitcto.model.events import TeamModeChanged
from gitcto.model.records import Decision, TaskSpec, TeamMode
from gitcto.queue.decide import decide
from gitcto.queue.facts import facts_of, fold_events, reopened
from gitcto.queue.order import DUE, OVERTAKEN, ordered
from gitcto.queue.records import Enqueued, Landed, Paused
from gitcto.queue.state import Queue, after, fold
from tests.queue.ledgers import event_of, specs_of, through_a_ledger
from tests.queue.worlds import Shell, Sure, item, shells

DECISION = Decision(
    action="approval",
    resource="T",
    subject="p",
    rule="tiers.P1.approval",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)
MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(shells(flaky=True))
def test_the_fold_of_events_is_the_fold_of_the_facts(shell: Shell) -> None:
    for _ in range(40):
        shell.settle()
        if not shell.queue.running:
            break
        shell.end_one()
    events = through_a_ledger(shell.facts)
    assert fold_events(events, specs_of(shell.facts)) == fold(shell.facts)


@MANY
@given(shells(), st.sampled_from(["paused", "resumed", "moved", "stumbled"]))
def test_every_event_gives_back_its_fact(shell: Shell, last: str) -> None:
    shell.settle()
    specs = specs_of(shell.facts)
    extra = {
        "paused": ev.QueuePaused(),
        "resumed": ev.QueueResumed(),
        "moved": ev.QueueTargetMoved(commit="c"),
        "stumbled": ev.QueueRunEnded(number=1, verdict="not_run"),
    }[last]
    for body in (*map(event_of, shell.facts), extra):
        (fact,) = facts_of(body, specs)
        assert facts_of(event_of(fact), specs) == (fact,)
    assert [facts_of(event_of(fact), specs) for fact in shell.facts] == [
        (fact,) for fact in shell.facts
    ]


def test_the_same_event_log_gives_the_same_order_a_thousand_times_of_a_thousand() -> None:
    """Each decision of simulated bursts, made again from nothing but the events before it."""
    same, seed = 0, 0
    while same < 1000:
        seed += 1
        made = burst(Shape(count=32, bad=0.1, overlap=0.1, flake=0.02, every=0.05), seed)
        outcome = World(made, seed, 6).run()
        events, specs = through_a_ledger(outcome.facts), specs_of(outcome.facts)
        for decided in outcome.decisions:
            queue = fold_events(events[: 1 + decided.facts], specs)
            again = fold(outcome.facts[: decided.facts])
            actions = decide(queue, 6, Guesses(made), decided.now_ms)
            assert actions == decided.actions
            assert ordered(queue, decided.now_ms) == ordered(again, decided.now_ms)
            same += 1
    assert same >= 1000


def test_a_queue_begins_anew_each_time_it_is_opened() -> None:
    specs = {"x": TaskSpec(id="A", title="a", tier="P0", priority="high")}
    waits = ev.QueueEnqueued(execution="x", epoch=1, change="", place=7, enqueued_ms=3)
    old = [ev.QueueOpened(), waits, ev.QueueRunStarted(number=1, run="judge", tip=0, onto="c")]
    queue = fold_events([*old, ev.QueueOpened(), waits], specs)
    assert list(queue.items) == ["x"]
    assert (queue.runs, queue.running) == (0, {})
    (only,) = queue.items.values()
    assert (only.seq, only.tier, only.priority, only.failure_rate) == (7, "P0", "high", 0.0)


def test_a_queue_that_was_paused_is_opened_paused() -> None:
    assert facts_of(ev.QueueOpened(paused=True), {}) == (Paused(),)
    assert fold_events([ev.QueuePaused(), ev.QueueOpened(paused=True)], {}).paused
    assert not fold_events([ev.QueuePaused(), ev.QueueOpened()], {}).paused


@pytest.mark.parametrize(
    "body",
    [
        TeamModeChanged(mode=TeamMode.PAUSED),
        ev.EjectionAsked(execution="x"),
        ev.ApprovalGranted(execution="x", change="c", by="p", decision=DECISION),
        ev.BranchPushed(remote="r", ref="refs/heads/b", commit="c"),
    ],
    ids=lambda body: type(body).__name__,
)
def test_what_is_not_about_the_queue_says_nothing(body) -> None:
    assert facts_of(body, {}) == ()


def test_how_often_a_change_was_overtaken_is_part_of_its_event() -> None:
    body = ev.QueueEnqueued(
        execution="x", epoch=1, change="", place=1, enqueued_ms=0, overtaken=DUE
    )
    queue = fold_events([body], {"x": TaskSpec(id="A", title="a", tier="P2", priority="low")})
    queue = after(queue, Enqueued(item=item("new", 2, tier="P0", priority="urgent")))
    assert queue.overtaken == {"x": DUE}
    assert [one.id for one in ordered(queue, 0)] == ["x", "new"]


@MANY
@given(shells(), st.integers(0, 12))
def test_what_waited_waits_again_in_its_old_place(shell: Shell, steps: int) -> None:
    for _ in range(steps):
        shell.settle()
        if not shell.queue.running:
            break
        shell.end_one()
    fresh = fold(reopened(shell.queue))
    assert ordered(fresh, 0) == ordered(shell.queue, 0)
    assert fresh.running == fresh.judged == {}


@MANY
@given(
    st.lists(st.sampled_from(["P1", "P0"]), min_size=45, max_size=60),
    st.lists(st.integers(0, 1000), max_size=200),
    st.integers(1, 9),
)
def test_newest_first_order_does_not_starve_clean_merges_though_the_run_is_started_again(
    tiers: list[str], choices: list[int], every: int
) -> None:
    """gascity-packs#272: newest first left five clean merges waiting for 44 to 49 hours."""
    assert max(_overtaken(tiers, choices, every).values()) <= OVERTAKEN


def test_newer_and_more_urgent_changes_do_overtake() -> None:
    assert max(_overtaken(["P1"] * 60, [], 9).values()) > 0


def _overtaken(tiers: list[str], choices: list[int], every: int) -> dict[str, int]:
    """Return how often each of three old changes saw a newer, more urgent one land."""
    shell = Shell(bad=frozenset(), enemies=frozenset(), choices=choices, predictor=Sure(good=0.6))
    old = [item(f"old{number}", number, tier="P2", priority="low") for number in (1, 2, 3)]
    for one in old:
        shell.record(Enqueued(item=one))
    passed = _Passed({one.id: one.seq for one in old})
    for seq, tier in enumerate(tiers, start=4):
        shell.record(Enqueued(item=item(f"new{seq:02}", seq, tier=tier, priority="urgent")))
        shell.settle()
        if shell.queue.running:
            shell.end_one()
        if seq % every == 0:
            passed.count(shell)
            _opened_again(shell)
    shell.until_empty()
    passed.count(shell)
    return passed.times


class _Passed:
    """Counts, from the facts alone, how often each old change saw a newer one land."""

    def __init__(self, old: dict[str, int]) -> None:
        self.times = dict.fromkeys(old, 0)
        self._old = old

    def count(self, shell: Shell) -> None:
        queue, seqs = Queue(), {}
        for fact in shell.facts:
            if isinstance(fact, Enqueued):
                seqs[fact.item.id] = fact.item.seq
            before = len(queue.landed)
            queue = after(queue, fact)
            new = queue.landed[before:] if isinstance(fact, Landed) else ()
            for name in self._old.keys() & queue.items.keys():
                self.times[name] += any(seqs[other] > self._old[name] for other in new)


def _opened_again(shell: Shell) -> None:
    """Begin a new queue, through events, as the next run of a team does."""
    carried = through_a_ledger(reopened(shell.queue))
    specs = specs_of(shell.facts)
    shell.landed.clear()
    shell.facts = [fact for body in carried for fact in facts_of(body, specs)]
    shell.queue = fold_events(carried, specs)
