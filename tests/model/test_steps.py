"""Steps of an execution: what may start, what an end may say, and what may be taken up after."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.model import commands as cmd
from gitcto.model.agent_records import Fault, Usage
from gitcto.model.codec import GENESIS, Event, LineError, encode
from gitcto.model.decide import decide
from gitcto.model.evolve import evolve
from gitcto.model.records import Decision, Execution, TaskSpec, TaskState
from gitcto.model.state import State
from gitcto.model.step_commands import EndStep, StartStep
from gitcto.model.step_events import StepEnded
from gitcto.model.step_records import MAX_FINDINGS, StepState
from gitcto.model.step_rules import running, workers
from gitcto.provider_contracts import WorkerReport

ALLOW = Decision(
    action="x",
    resource="y",
    subject="z",
    rule="r",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)
ON = {"execution": "x1", "epoch": 1}


def send(state: State, *commands: cmd.SingleCommand) -> str:
    """Record commands as one transaction; return the code of a refusal, or nothing."""
    answer = decide(state, cmd.Together(commands), 1_000)
    if isinstance(answer, cmd.Refusal):
        return answer.code
    for number, body in enumerate(answer):
        event = Event(id=str(number), ts=1_000, actor="t", prev="", v=body.VERSION, body=body)
        state.put(evolve(state, event, number + 1))
    return ""


def begin(number: int = 1, **fields: Any) -> StartStep:
    given = {"name": "write", "role": "developer", "provider": "p", "max_workers": 6}
    return StartStep(**ON, number=number, **(given | fields))


def end(number: int = 1, **fields: Any) -> EndStep:
    return EndStep(**ON, number=number, **fields)


def reviewing(number: int) -> StartStep:
    return begin(number, name="review", seat="review", edits=False, reads={"main": "c"})


def lease(task: str = "A", execution: str = "x1", max_workers: int = 6) -> cmd.Lease:
    return cmd.Lease(
        task=task,
        execution=execution,
        base="b",
        provider="p",
        role="developer",
        workspace="clone",
        holder="h",
        expires_ms=2_000,
        max_workers=max_workers,
        decision=ALLOW,
        strategy="two",
    )


STARTED = cmd.RecordStart(**ON, pid=1, process_start="1", isolation="none")
EXITED = cmd.RecordExit(**ON, code=0, cause="exited")


def harvest(change: str = "") -> cmd.RecordHarvest:
    return cmd.RecordHarvest(**ON, commit="c", tree="t", changed=1, change=change)


@pytest.fixture
def state() -> State:
    """Return a team whose task A was leased with its first step."""
    state = State()
    specs = tuple(TaskSpec(id=name, title=name) for name in "AB")
    assert not send(state, cmd.CreateTeam(team="demo", target="refs/heads/x"))
    assert not send(state, cmd.ImportPlan(source="x", digest="y", tasks=specs))
    assert not send(state, lease(), begin())
    return state


def execution(state: State) -> Execution:
    return state.executions["x1"]


def test_an_execution_of_one_step_ends_in_the_transaction_of_its_exit(state: State) -> None:
    usage = Usage(input_tokens=7)
    assert not send(state, STARTED)
    assert not send(state, end(changed=1, usage=usage), EXITED, harvest())
    [step] = execution(state).steps
    assert (step.state, step.usage, step.started_ms) == (StepState.ENDED, usage, 1_000)
    assert execution(state).state is TaskState.VALIDATING
    assert execution(state).strategy == "two"


def test_step_numbers_are_consecutive_and_a_seat_holds_one(state: State) -> None:
    assert send(state, begin(3, seat="second")) == "out_of_order"
    assert send(state, begin(2)) == "seat_taken"
    assert not send(state, begin(2, seat="second"))
    assert [step.seat for step in running(execution(state))] == ["main", "second"]


def test_a_step_takes_a_place_among_the_teams_workers(state: State) -> None:
    assert not send(state, lease("B", "x2", 2))
    assert send(state, begin(2, seat="second", max_workers=2)) == "no_capacity"
    assert not send(state, begin(2, seat="second", max_workers=3))
    assert workers(state.live()) == 3
    assert not send(state, end(1), end(2))
    assert workers(state.live()) == 1  # one that waits for its next step has none
    assert send(state, begin(3, max_workers=1)) == "no_capacity"
    assert not send(state, begin(3, max_workers=2))


@pytest.mark.parametrize(
    ("fields", "of"),
    [
        ({"verdict": "approve", "change": "1"}, 1),
        ({"findings": "n" * 8001}, 1),
        ({"commit": "c"}, 2),
        ({"verdict": "approve"}, 2),
        ({"verdict": "approve", "change": "1", "fault": Fault(kind="rate")}, 2),
        ({"verdict": "approve", "change": "1", "chosen": "second"}, 2),
        ({"verdict": "reject", "findings": "x" * (MAX_FINDINGS + 1)}, 2),
    ],
)
def test_an_end_says_only_what_its_step_can_say(
    state: State, fields: dict[str, Any], of: int
) -> None:
    assert not send(state, reviewing(2))
    assert send(state, end(of, **fields)) == "bad_step"


def test_a_step_ends_once(state: State) -> None:
    assert not send(state, end())
    assert send(state, end()) == "not_running"
    assert send(state, end(7)) == "not_running"


def test_nothing_is_taken_up_while_a_step_runs(state: State) -> None:
    assert not send(state, STARTED)
    assert send(state, EXITED) == "step_running"
    assert send(state, EXITED, harvest()) == "step_running"


def test_what_was_approved_is_taken_up_and_nothing_else(state: State) -> None:
    assert not send(state, STARTED, end(commit="c", changed=1))
    assert not send(state, reviewing(2))
    assert not send(state, end(2, verdict="approve", change="1", findings="fine"))
    assert send(state, EXITED, harvest("2")) == "unapproved"
    assert not send(state, EXITED, harvest("1"))


@pytest.mark.parametrize("verdict", ["reject", "none"])
def test_what_nobody_approved_is_not_taken_up(state: State, verdict: Any) -> None:
    assert not send(state, STARTED, end(commit="c", changed=1), reviewing(2))
    assert not send(state, end(2, verdict=verdict, change="1"))
    assert send(state, EXITED, harvest("1")) == "unapproved"


def test_only_the_last_approval_counts(state: State) -> None:
    assert not send(state, STARTED, end(), reviewing(2))
    assert not send(state, end(2, verdict="approve", change="1"), begin(3), end(3))
    assert not send(state, reviewing(4), end(4, verdict="approve", change="2"))
    assert send(state, EXITED, harvest("1")) == "unapproved"
    assert not send(state, EXITED, harvest("2"))


def test_with_its_execution_a_step_is_over_and_no_other_begins(state: State) -> None:
    failed = cmd.FailExecution(**ON, reason="r", detail="", charged=True, max_attempts=2)
    assert not send(state, failed)
    assert running(execution(state)) == ()
    answer = decide(state, begin(2), 1_000)
    assert isinstance(answer, tuple)
    assert [type(body).__name__ for body in answer] == ["OutcomeRefused"]


def test_a_denied_provider_runs_no_step(state: State) -> None:
    denied = Decision(
        action="eligibility",
        resource="p",
        subject="A",
        rule="roles.developer.providers",
        policy="p",
        inputs={},
        verdict="deny",
        reason="no",
    )
    assert send(state, begin(2, seat="second", decision=denied)) == "denied"


@pytest.mark.parametrize(
    "said",
    [
        {"session": ["no", "text"]},
        {"session": "half a character: \ud800"},
        {"usage": Usage(output_tokens=-1)},
        {"usage": Usage(output_tokens=10**30)},
        {"fault": Fault(kind="whim")},  # type: ignore[arg-type]
    ],
)
def test_what_nobody_could_read_again_is_not_written(said: dict[str, Any]) -> None:
    """Whatever came past all other checks: one such line would end the ledger."""
    body = StepEnded(execution="x", epoch=1, number=1, **said)
    with pytest.raises(LineError):
        encode(Event(id="e", ts=0, actor="a", prev=GENESIS, v=1, body=body))
    with pytest.raises(TypeError):
        WorkerReport(**said)
