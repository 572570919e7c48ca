"""Every small history of every shipped strategy: whatever its steps come to, it ends rightly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitcto.model.step_records import Step
from gitcto.strategies.advance import advance
from gitcto.strategies.records import Action, Start, Strategy
from tests.strategies.histories import asked, begun, ended, must_be_right, outcomes, shipped


def small(strategy: Strategy) -> Strategy:
    """Return it with few rounds, and with the one rung of each ladder that tells most."""
    rounds = 2 if len(strategy.steps) < 3 else 1
    steps = tuple(
        replace(step, failures={key: _rung(rungs) for key, rungs in step.failures.items()})
        for step in strategy.steps
    )
    return replace(strategy, rounds=min(strategy.rounds, rounds), steps=steps)


def _rung(rungs: tuple[Action, ...]) -> tuple[Action, ...]:
    return rungs[-1:] if rungs[-1:] == ("degrade",) else rungs[:1]


def classes(strategy: Strategy) -> tuple[str, ...]:
    """Return one fault of each class that some step treats in its own way, and one that none."""
    own = {key for step in strategy.steps for key in step.failures}
    more = 1 if len(strategy.steps) < 4 else 0
    return ("internal", *sorted(own & {"quota", "rate", "auth"})[:more])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(set(shipped()) - {"gemini_writes_codex_reviews"}))
def test_every_history_ends(name: str) -> None:
    strategy = small(shipped()[name])
    faults = classes(strategy)
    ends = {"Finish": 0, "GiveUp": 0}
    todo: list[list[Step]] = [[]]
    while todo:
        steps = todo.pop()
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


def test_the_two_vendors_strategies_differ_in_their_vendors_alone() -> None:
    one, other = (
        shipped()[f"{name}_reviews"] for name in ("codex_writes_gemini", "gemini_writes_codex")
    )
    assert (one.steps, one.rounds, one.combine) == (other.steps, other.rounds, other.combine)
