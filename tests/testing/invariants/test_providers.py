"""Providers that rest, and what agents use: each check holds of what is sound, and can fail."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.model import events as ev
from gitcto.model.agent_records import Usage
from gitcto.model.circuit_events import CircuitClosed, CircuitOpened, CircuitProbed
from gitcto.model.step_events import StepEnded, StepStarted
from gitcto.testing.invariants import Bounds, Observed, check
from tests.testing.invariants.stories import SECOND, Story, begun, events, failed, leased

BUDGET = Bounds(team_tokens=150, execution_tokens=100)


def run(execution: str, task: str, epoch: int = 1) -> Story:
    of = {"execution": execution, "epoch": epoch}
    step = StepStarted(**of, number=1, name="write", role="writer", provider="p")
    return [leased(execution, task, epoch), step]


def end(execution: str, **usage: int) -> StepEnded:
    return StepEnded(execution=execution, epoch=1, number=1, usage=Usage(**usage))


def parked(until_s: int = 0) -> CircuitOpened:
    fields: dict[str, Any] = {"reason": "quota", "detail": "", "times": 1}
    return CircuitOpened(provider="p", until_ms=until_s * SECOND, **fields)


PROBED = CircuitProbed(provider="p", execution="x1")


@pytest.mark.parametrize(
    ("story", "broken"),
    [
        ([*run("x1", "A"), end("x1"), parked()], []),
        ([parked(), CircuitClosed(provider="p"), *run("x1", "A")], []),
        ([parked(until_s=1), *run("x1", "A"), PROBED], []),
        ([parked(), *run("x1", "A")], ["S16"]),
        ([parked(until_s=1 << 20), *run("x1", "A")], ["S16"]),
        ([parked(until_s=1), *run("x1", "A"), PROBED, *run("x2", "B")], ["S16"]),
        (
            [parked(until_s=1), *run("x1", "A"), PROBED, end("x1"), failed("x1"), *run("x2", "B")],
            [],
        ),
        ([*run("x1", "A"), PROBED], ["S16"]),
    ],
)
def test_nothing_is_asked_of_a_provider_that_rests(story: Story, broken: list[str]) -> None:
    found = check(events([*begun(), *story]))
    assert [each.invariant for each in found] == broken


def test_the_totals_are_the_sum_of_all_runs_that_ended() -> None:
    story = [*begun(), *run("x1", "A"), *run("x2", "B"), end("x1", input_tokens=7, cost_micros=3)]
    told: list[ev.EventBody] = [*story, failed("x2")]
    sound = Observed(used={"p": (2, 7, 3)})
    wrong = Observed(used={"p": (1, 7, 3)})
    assert check(events(told), sound) == ()
    assert [each.invariant for each in check(events(told), wrong)] == ["S17"]


@pytest.mark.parametrize(
    ("story", "broken"),
    [
        ([*run("x1", "A")], []),
        ([*run("x1", "A"), *run("x2", "B")], ["S18"]),
        ([*run("x1", "A"), end("x1", input_tokens=40), failed("x1"), *run("x2", "B")], []),
        ([*run("x1", "A"), end("x1", input_tokens=60), failed("x1"), *run("x2", "B")], ["S18"]),
    ],
)
def test_nothing_begins_beyond_a_budget(story: Story, broken: list[str]) -> None:
    found = check(events([*begun(), *story]), Observed(bounds=BUDGET))
    assert [each.invariant for each in found] == broken
