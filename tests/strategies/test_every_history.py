"""Every small history of every shipped strategy: whatever its steps come to, it ends rightly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitcto.model.step_records import Step
from gitcto.strategies.advance import advance
from gitcto.strategies.records import Finish, GiveUp, Start, Strategy
from tests.strategies.histories import asked, begun, ended, outcomes, shipped

MOST = 4_000
"""Histories that are looked at for one strategy."""


def small(strategy: Strategy) -> Strategy:
    """Return it with two rounds at most, and with the first and the last rung of each ladder."""
    steps = tuple(
        replace(
            step,
            failures={key: (*rungs[:1], *rungs[1:][-1:]) for key, rungs in step.failures.items()},
        )
        for step in strategy.steps
    )
    return replace(strategy, rounds=min(strategy.rounds, 2), steps=steps)


def classes(strategy: Strategy) -> tuple[str, ...]:
    """Return one fault of each class that some step treats in its own way, and one that none."""
    own = {key for step in strategy.steps for key in step.failures}
    return ("internal", *sorted(own & {"quota", "rate", "auth"})[:1])


def must_be_right(strategy: Strategy, steps: list[Step], move: Finish | GiveUp) -> None:
    """Assert what is asked of an end, from the history alone and not as the engine does it."""
    judges = [step for step in strategy.steps if step.judges]
    if isinstance(move, GiveUp):
        assert move.reason in ("step_failed", "no_verdict", "rejected", "unapproved", "no_work")
        return
    last = [step for step in steps if step.seat == move.seat and step.edits and not step.fault][-1]
    for judge in judges:
        if move.seat not in judge.judged:
            continue
        mine = [step for step in steps if step.name == judge.name]
        said = [step for step in mine if step.reads.get(move.seat) == last.commit]
        spoken = [step for step in said if step.verdict in ("approve", "reject") and not step.fault]
        if judge.kind == "adjudicate":
            assert spoken[-1].verdict == "approve"
            assert spoken[-1].chosen == move.seat
        elif spoken:
            assert spoken[-1].verdict == "approve"
        else:
            left_out = [step for step in mine if step.fault]
            assert left_out
            assert any("degrade" in rungs for rungs in judge.failures.values())
    for step in steps:
        if step.fault is not None or step.verdict == "none":
            assert f"{step.name} by {step.provider}: " in move.path


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_history_ends(name: str) -> None:
    strategy = small(shipped()[name])
    faults = classes(strategy)
    ends = {"Finish": 0, "GiveUp": 0}
    todo: list[list[Step]] = [[]]
    seen = 0
    while todo and seen < MOST:
        steps = todo.pop()
        seen += 1
        move = advance(strategy, steps)
        assert move == advance(strategy, tuple(reversed(steps)))
        if not isinstance(move, Start):
            must_be_right(strategy, steps, move)
            ends[type(move).__name__] += 1
            continue
        running = [step for step in steps if step.runs]
        assert move.orders or running
        seats = [order.seat for order in move.orders] + [step.seat for step in running]
        assert len(set(seats)) == len(seats)
        assert len(steps) + len(move.orders) <= strategy.most_steps
        if move.orders:
            more = list(steps)
            for order in move.orders:
                more.append(begun(order, more))
            todo.append(more)
            continue
        place = steps.index(running[0])
        todo.extend(
            [*steps[:place], ended(running[0], came), *steps[place + 1 :]]
            for came in outcomes(asked(running[0]), faults)
        )
    assert ends["Finish"]
    assert ends["GiveUp"]
