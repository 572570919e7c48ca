"""Which step follows from what is recorded and what is seen; no disk, no process."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.model.commands import FailExecution
from gitcto.model.records import Execution, Landing, TaskState
from gitcto.model.recovery_plan import Left, Seen, Step, plan
from gitcto.model.state import State
from tests.model.test_leases import run, steal, working

LANDING = Landing(target="refs/heads/t", old="o", new="n", tree="t", evidence="e")


def execution(name: str, state: TaskState, **more: Any) -> Execution:
    fields = {
        "task": "A",
        "epoch": 1,
        "attempt": 1,
        "holder": "ada@box/c1/r1",
        "base": "b",
        "provider": "p",
        "role": "r",
        "leased_ms": 5,
        "expires_ms": 100,
        **more,
    }
    return Execution(id=name, state=state, **fields)


def actions(left: Left, seen: dict[str, Seen], state: State | None = None) -> list[str]:
    return [step.action for step in steps(left, seen, state)]


def steps(left: Left, seen: dict[str, Seen], state: State | None = None) -> tuple[Step, ...]:
    return plan(state or working(), left, seen, lapsed_ms=50, adopt_late=True)


ALIVE, GONE = Seen(supervised=True, started=True), Seen(started=True)
ENDED, ABSENT = Seen(started=True, ended="exited"), Seen()


@pytest.mark.parametrize(
    ("state", "seen", "action"),
    [
        (TaskState.DISPATCHING, ABSENT, "retry"),
        (TaskState.DISPATCHING, Seen(supervised=True), "retry"),
        (TaskState.DISPATCHING, ALIVE, "readopt"),
        (TaskState.DISPATCHING, GONE, "reclaim"),
        (TaskState.EXECUTING, ALIVE, "readopt"),
        (TaskState.EXECUTING, ENDED, "take_up"),
        (TaskState.EXECUTING, GONE, "reclaim"),
        (TaskState.EXECUTING, ABSENT, "reclaim"),
        (TaskState.VALIDATING, ABSENT, "judge"),
    ],
)
def test_a_live_execution_is_continued_as_what_it_is(
    state: TaskState, seen: Seen, action: str
) -> None:
    assert actions(Left(ours=(execution("x", state),)), {"x": seen}) == [action]


def test_changes_that_land_by_one_swap_share_its_fate() -> None:
    pair = tuple(execution(name, TaskState.INTEGRATING, landing=LANDING) for name in "ab")
    for landed, action in (
        (("n", "n"), "confirm"),
        (("", ""), "move"),
        (("n", ""), "move"),
        (("n", "z"), "rewritten"),
    ):
        seen = {x.id: Seen(landed=commit) for x, commit in zip(pair, landed, strict=True)}
        assert actions(Left(ours=pair), seen) == [action, action]


def test_what_others_hold_is_left_until_its_lease_is_over() -> None:
    theirs = (
        execution("x", TaskState.EXECUTING, expires_ms=50),
        execution("y", TaskState.EXECUTING, expires_ms=49),
    )
    assert actions(Left(theirs=theirs), {}) == ["leave", "give_up"]


def test_late_work_is_waited_for_and_everything_else_that_ended_is_settled() -> None:
    state = working()
    run(state, steal())
    late = state.executions["x1"]
    for seen, action in ((ALIVE, "await_late"), (ENDED, "await_late"), (GONE, "settle")):
        assert actions(Left(ended=(late,)), {"x1": seen}, state) == [action]
    failed = working()
    run(
        failed,
        FailExecution(
            execution="x1", epoch=1, reason="limit_wall", detail="", charged=True, max_attempts=3
        ),
    )
    assert actions(Left(ended=(failed.executions["x1"],)), {"x1": ENDED}, failed) == ["settle"]


def test_every_step_says_why_and_where_the_work_is() -> None:
    left = Left(
        ours=(execution("x", TaskState.EXECUTING), execution("y", TaskState.VALIDATING)),
        theirs=(execution("z", TaskState.EXECUTING),),
        unknown=("s",),
    )
    found = steps(left, {"x": ALIVE})
    assert [step.execution for step in found] == ["s", "x", "y", "z"]
    assert all(step.why and step.keeps for step in found)
