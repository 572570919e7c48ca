"""The baselines and the truth of the simulated merge queue, where the answer is known."""

from __future__ import annotations

from bench.queue_baselines import OneAfterTheOther, Optimistic
from bench.queue_bursts import Burst, Shape, burst
from bench.queue_world import World

CLEAN = Shape(bad=0.0, overlap=0.0)


def with_bad(*names: str) -> Burst:
    made = burst(Shape(count=16, bad=0.0, overlap=0.0), 1)
    return Burst(
        shape=made.shape,
        items=made.items,
        arrivals=made.arrivals,
        bad=frozenset(names),
        enemies={},
        good=made.good,
    )


def test_clean_bursts_cost_what_arithmetic_says() -> None:
    made = burst(CLEAN, 1)
    serial, bisect = (OneAfterTheOther(made, 1, size).run() for size in (1, 8))
    optimistic = Optimistic(made, 1, 6).run()
    assert (serial.runs, bisect.runs, optimistic.runs) == (64, 8, 64)
    assert serial.landed == bisect.landed == optimistic.landed == 64
    assert serial.makespan > 4 * optimistic.makespan


def test_bisection_finds_one_bad_change_of_sixteen() -> None:
    tally = OneAfterTheOther(with_bad("x003"), 1, 8).run()
    assert (tally.runs, tally.landed) == (2 + 2 * 3, 15)


def test_optimism_starts_again_behind_a_red_one() -> None:
    tally = Optimistic(with_bad("x000"), 1, 6).run()
    assert tally.landed == 15
    assert tally.runs > 16


def test_two_that_clash_are_green_apart_and_red_together() -> None:
    made = burst(Shape(count=2, bad=0.0, overlap=1.0, conflict=1.0), 1)
    assert made.green(["x000"])
    assert made.green(["x001"])
    assert not made.green(["x000", "x001"])
    assert made.items[0].paths & made.items[1].paths


def test_a_calibrated_predictor_is_right_as_often_as_it_is_said_to_be() -> None:
    made = [burst(Shape(bad=0.5), seed) for seed in range(30)]
    right = sum(
        (one.good[item.id] < 0.5) == (item.id in one.bad) for one in made for item in one.items
    )
    assert 0.88 < right / (30 * 64) < 0.92


def test_a_simulated_burst_lands_all_that_is_good() -> None:
    outcome = World(with_bad("x003", "x007"), 1, 6).run()
    assert len(outcome.landed) == 14
    assert (outcome.reds, outcome.wronged) == (0, 0)
    assert outcome.runs < 16
