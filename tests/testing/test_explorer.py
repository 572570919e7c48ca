"""The protocol holds in every state of the small settings, and a broken one is told how."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from gitcto.model.commands import Command, OutcomeCommand
from gitcto.model.decide import Answer, decide
from gitcto.model.events import ExecutionFailed, LandingDone
from gitcto.model.outcomes import decide_outcome
from gitcto.model.state import State
from gitcto.testing.explorer import SMALL, Search, Setting

pytestmark = pytest.mark.timeout(300)

SHORT = Setting(name="short", epochs=(1, 1), crashes=1, strangers=0)


@pytest.mark.slow
def test_nothing_is_wrong_in_any_state(record_property: Callable[[str, object], None]) -> None:
    seen = [Search(setting).run() for setting in SMALL]
    assert [each.found for each in seen] == [None] * len(seen)
    assert all(each.complete for each in seen)
    states, steps = sum(x.states for x in seen), sum(x.transitions for x in seen)
    assert states > 10_000
    record_property(
        "figures", f"{states} states, {steps} steps, the farthest {seen[-1].depth} away"
    )


def test_the_same_states_are_found_whatever_the_order_of_sets() -> None:
    program = (
        "from gitcto.testing.explorer import Search, Setting\n"
        f"print(Search(Setting{tuple(SHORT)!r}).run())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def without_fence(state: State, command: Command, now_ms: int) -> Answer:
    """Decide what is over, and what has an old token, as if it were neither."""
    execution = state.execution(getattr(command, "execution", ""))
    if isinstance(command, OutcomeCommand) and execution is not None:
        return decide_outcome(execution, state.tasks[execution.task], command)
    return decide(state, command, now_ms)


def test_a_search_without_the_fence_ends_with_the_shortest_way_there() -> None:
    found = Search(SHORT, without_fence).run().found
    assert found is not None
    assert found.wrong == ("S2: RenewLease of a1.0 at 0 is accepted",)
    assert found.steps == ("lease a 0 1", "old token a1.0")
    assert str(found).splitlines()[1:] == ["  1 lease a 0 1", "  2 old token a1.0"]


def test_a_world_in_which_nothing_can_go_on_is_told() -> None:
    def never_done(state: State, command: Command, now_ms: int) -> Answer:
        answer = decide(state, command, now_ms)
        ends = isinstance(answer, tuple) and any(
            isinstance(body, LandingDone | ExecutionFailed) for body in answer
        )
        return () if ends else answer

    found = Search(SHORT, never_done).run().found
    assert found is not None
    assert found.wrong == ("L1: from here nothing ends",)
