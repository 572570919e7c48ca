"""Why a change waits, in words that say what must happen next."""

from __future__ import annotations

import pytest

from gitcto.model import queue_events as ev
from gitcto.model.records import TaskSpec
from gitcto.queue.explain import Situation, estimate_ms, judgements, situation, waits_for
from gitcto.queue.order import OVERTAKEN

MINUTE = 60_000


class Log:
    """A queue's events, one a minute, about executions ``e-a``, ``e-b`` and so on."""

    def __init__(self, *names: str, tiers: str = "", overtaken: int = 0) -> None:
        self.events: list[tuple[int, object]] = [(0, ev.QueueOpened())]
        self.specs = {
            f"e-{name}": TaskSpec(id=name.upper(), title="", tier=tier)
            for name, tier in zip(names, [f"P{t}" for t in tiers or "1" * len(names)], strict=True)
        }
        for place, name in enumerate(names, 1):
            self.add(
                ev.QueueEnqueued(
                    execution=f"e-{name}",
                    epoch=1,
                    change="",
                    place=place,
                    enqueued_ms=0,
                    paths=(name,),
                    overtaken=0 if place > 1 else overtaken,
                )
            )

    def add(self, body: object, after_ms: int = MINUTE) -> Log:
        self.events.append((self.events[-1][0] + after_ms, body))
        return self

    def start(self, number: int, *unit: str, run: str = "judge", **fields) -> Log:
        fields = {"tip": 0, "onto": "base", **fields}
        unit = tuple(f"e-{name}" for name in unit)
        return self.add(ev.QueueRunStarted(number=number, run=run, unit=unit, **fields))

    def end(self, number: int, verdict: str, **fields) -> Log:
        executed = 0 if verdict == "not_run" else 9
        body = ev.QueueRunEnded(number=number, verdict=verdict, executed=executed, **fields)
        return self.add(body)

    def at(self, capacity: int = 2, after_ms: int = 0) -> Situation:
        live = {name for name in self.specs if name != "e-gone"}
        now = self.events[-1][0] + after_ms
        return situation(self.events, self.specs, live, capacity, now)


def tasks(at: Situation) -> list[str]:
    return [at.task(item.id) for item in at.order]


@pytest.mark.parametrize(
    ("log", "of", "waits"),
    [
        (Log("a"), "a", "run 1, which starts next"),
        (Log("a", "b").start(1, "a", "b"), "b", "run 1, which judges it with A"),
        (
            Log("a", "b").start(1, "a").start(2, "b", prefix=("e-a",)),
            "b",
            "run 2, which judges it on top of A",
        ),
        (
            Log("a", "b").start(1, "a").end(1, "green").start(2, "b", prefix=("e-a",)),
            "a",
            "its landing, with run 1",
        ),
        (
            Log("a", "b")
            .start(1, "a", "b")
            .end(1, "red", failed=("t",))
            .start(2, "a", "b", run="confirm", confirms=1, tests=("t",)),
            "a",
            "run 2, which runs what was red in run 1 again",
        ),
        (Log("a").add(ev.QueuePaused()), "a", "resume: the queue is paused"),
        (Log("a").add(ev.QueueTargetMoved(commit="c")), "a", "a sweep: the target was moved"),
        (
            Log("a").add(ev.QueueTargetMoved(commit="c")).start(1, run="sweep", tip=1),
            "a",
            "run 1, a sweep: the target was moved, and is being judged",
        ),
        (
            Log("a")
            .add(ev.QueueTargetMoved(commit="c"))
            .start(1, run="sweep", tip=1)
            .end(1, "red"),
            "a",
            "a person: the target is red by itself",
        ),
        (
            Log("a", "b", "c", tiers="001").start(1, "a"),
            "b",
            "A, which is judged alone",
        ),
        (
            Log("a", "b", "c", "d").start(1, "a").start(2, "b"),
            "d",
            "a slot: 1 goes before it",
        ),
        (
            Log("a", "b", overtaken=OVERTAKEN).start(1, "b").end(1, "green").start(2, "a"),
            "b",
            "A must not be overtaken once more",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) and len(each) > 1 else "",
)
def test_what_a_change_waits_for_is_named(log: Log, of: str, waits: str) -> None:
    assert waits_for(log.at(), f"e-{of}").startswith(waits)


def test_a_change_whose_gates_do_not_run_waits_for_a_person() -> None:
    log = Log("a")
    for number in (1, 2, 3):
        log.start(number, "a").end(number, "not_run")
    assert waits_for(log.at(), "e-a") == "a person: the gates did not run 3 times in a row"


def test_a_change_that_is_red_by_itself_waits_for_its_rejection() -> None:
    log = Log("a").start(1, "a").end(1, "red", failed=("t",))
    for number in (2, 3):
        log.start(number, "a", run="confirm", confirms=1, tests=("t",))
        log.end(number, "red", failed=("t",))
    assert waits_for(log.at(), "e-a").startswith("its rejection: run 1 of it alone was red")


def test_positions_leave_out_what_has_left_otherwise() -> None:
    at = Log("gone", "a", "b").at()
    assert tasks(at) == ["A", "B"]
    assert [at.position(name) for name in ("e-a", "e-b", "e-gone")] == [1, 2, 0]


def test_an_estimate_is_the_median_of_recent_runs_times_the_batches_ahead() -> None:
    log = Log(*"abcdefg")
    assert estimate_ms(log.at(), "e-a") is None
    log.start(1, "a").end(1, "green").add(ev.QueueLanded(number=1), 0)
    log.start(2, "b", tip=1).start(3, "c", tip=1)
    at = log.at(capacity=2)
    assert estimate_ms(at, "e-c") == MINUTE
    # Both slots are taken; the run that ends next has begun a minute ago.
    assert estimate_ms(at, "e-d") == MINUTE
    assert estimate_ms(at, "e-e") == MINUTE
    assert estimate_ms(at, "e-f") == 2 * MINUTE
    assert estimate_ms(log.at(capacity=3), "e-d") == MINUTE


def test_a_change_that_is_judged_alone_is_a_batch_of_its_own() -> None:
    log = Log("z", "a", "b", tiers="100").start(1, "z").end(1, "green")
    log.add(ev.QueueLanded(number=1), 0)
    assert estimate_ms(log.at(), "e-a") == MINUTE
    assert estimate_ms(log.at(), "e-b") == 2 * MINUTE


def test_nothing_is_promised_while_everything_waits() -> None:
    log = Log("z", "a").start(1, "z").end(1, "green").add(ev.QueueLanded(number=1))
    assert estimate_ms(log.at(), "e-a") == MINUTE
    assert estimate_ms(log.add(ev.QueuePaused()).at(), "e-a") is None


def test_a_run_is_told_with_what_it_judged_and_what_was_red() -> None:
    log = Log("a").start(1, "a").end(1, "red", tree="t", failed=("x",), reason="r")
    (one,) = judgements(log.events).values()
    assert (one.onto, one.tree, one.verdict, one.failed) == ("base", "t", "red", ("x",))
    assert one.ended_ms - one.started_ms == MINUTE
    assert log.at().last("e-a") == one
    assert log.start(2, "a").at().last("e-a") == one


def test_a_green_tree_counts_until_its_run_says_nothing_any_more() -> None:
    log = Log("a", "b").start(1, "a", "b").end(1, "green", tree="t")
    assert log.at().green_trees("e-a") == {"t"}
    assert log.at().green_trees("e-b") == {"t"}
    log.add(ev.QueueLanded(number=1))
    assert log.at().green_trees("e-a") == set()
