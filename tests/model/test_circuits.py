"""Circuits: when nothing is asked of a provider, who tries it again, and what comes of that."""

from __future__ import annotations

import pytest

from gitcto.model.agent_records import Fault, FaultKind
from gitcto.model.circuit_commands import CloseCircuit, OpenCircuit
from gitcto.model.circuit_rules import MAX_PARKED_MS
from gitcto.model.outcomes import MAX_UNCHARGED
from gitcto.model.records import TaskState
from gitcto.model.step_commands import EndStep
from tests.model.circuits import AUTH, QUOTA, S, Story


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_terminal_fault_opens_the_circuit_with_the_end_of_its_run(story: Story) -> None:
    assert not story.begin(0, "A")
    assert not story.end(10 * S, "A", QUOTA)
    assert story.kinds == ["step.ended", "circuit.opened", "execution.failed"]
    circuit = story.circuit
    assert circuit is not None
    assert (circuit.reason, circuit.detail, circuit.until_ms) == (
        "quota",
        "no more today",
        70 * S,
    )
    assert circuit.execution == "A1"


def test_nothing_is_started_with_a_parked_provider_and_everything_with_another(
    story: Story,
) -> None:
    assert not story.begin(0, "A")
    assert not story.end(1 * S, "A", QUOTA)
    assert story.begin(2 * S, "B") == "circuit_open"
    assert "B1" not in story.state.executions  # the lease was refused with its step
    assert not story.begin(2 * S, "C", provider="other")


@pytest.mark.parametrize("kind", ["rate", "model", "timeout", "protocol", "tool", "empty"])
def test_other_faults_open_nothing(story: Story, kind: FaultKind) -> None:
    assert not story.begin(0, "A")
    assert not story.end(1 * S, "A", Fault(kind=kind, retry_after_s=60))
    assert story.circuit is None


def test_without_a_time_only_a_person_closes_it(story: Story) -> None:
    assert not story.begin(0, "A")
    assert not story.end(1 * S, "A", AUTH)
    assert story.begin(10_000_000 * S, "A") == "circuit_open"
    assert not story.send(10_000_001 * S, CloseCircuit(provider="p", by="ada"))
    assert story.kinds == ["circuit.closed"]
    assert not story.begin(10_000_002 * S, "A")


def test_after_its_time_one_attempt_tries_and_its_success_closes_the_circuit(
    story: Story,
) -> None:
    assert not story.begin(0, "A")
    assert not story.end(0, "A", QUOTA)
    assert not story.begin(61 * S, "B")
    assert story.kinds == ["execution.leased", "step.started", "circuit.probed"]
    assert story.begin(62 * S, "A") == "circuit_probed"
    assert not story.end(63 * S, "B")
    assert story.kinds == ["step.ended", "circuit.closed"]
    assert not story.begin(64 * S, "A")


def test_a_probe_that_fails_opens_it_again_for_twice_as_long(story: Story) -> None:
    assert not story.begin(0, "A")
    assert not story.end(0, "A", QUOTA)
    said_nothing = Fault(kind="quota", retryable=False)
    assert not story.begin(60 * S, "B")
    assert not story.end(61 * S, "B", said_nothing)
    assert story.circuit is not None
    assert (story.circuit.until_ms, story.circuit.times) == ((61 + 120) * S, 2)
    assert not story.begin(181 * S, "A")
    later = Fault(kind="rate", retry_after_s=3600)
    assert not story.end(182 * S, "A", later)  # also what would open none by itself
    assert story.circuit is not None
    assert (story.circuit.until_ms, story.circuit.times) == ((182 + 3600) * S, 3)


def test_it_is_not_opened_for_ever_longer(story: Story) -> None:
    at = 0
    assert not story.begin(at, "A")
    assert not story.end(at, "A", QUOTA)
    for _ in range(14):
        assert story.circuit is not None
        at = story.circuit.until_ms
        assert not story.begin(at, "A")
        assert not story.end(at, "A", Fault(kind="quota"))
    assert story.circuit is not None
    assert story.circuit.until_ms - at == MAX_PARKED_MS


def test_a_probe_that_fails_by_itself_says_nothing_and_lets_the_next_one_try(
    story: Story,
) -> None:
    assert not story.begin(0, "A")
    assert not story.end(0, "A", QUOTA)
    assert not story.begin(61 * S, "B")
    assert not story.end(62 * S, "B", Fault(kind="empty"), charged=True)
    assert story.circuit is not None
    assert not story.begin(63 * S, "A")
    assert story.circuit.times == 1


def test_a_probe_whose_execution_is_gone_keeps_nobody_out(story: Story) -> None:
    assert not story.begin(0, "A")
    assert not story.end(0, "A", QUOTA)
    assert not story.begin(61 * S, "B")
    assert not story.send(62 * S, story.failure("B"))  # the run was killed
    assert not story.begin(63 * S, "A")
    assert story.circuit is not None
    assert story.circuit.probe == "A2"


def test_what_was_under_way_tells_nothing_new_but_a_later_time(story: Story) -> None:
    for task in "ABC":
        assert not story.begin(0, task)
    assert not story.end(1 * S, "A", QUOTA)
    assert not story.end(2 * S, "B", Fault(kind="quota"))
    assert story.kinds == ["step.ended", "execution.failed"]
    assert not story.end(3 * S, "C", Fault(kind="quota", retry_after_s=600))
    assert story.circuit is not None
    assert (story.circuit.until_ms, story.circuit.times) == (603 * S, 1)
    tasks = story.state.tasks
    assert [tasks[name].state for name in "ABC"] == [TaskState.QUEUED] * 3
    assert [tasks[name].charged for name in "ABC"] == [0, 0, 0]


def test_an_execution_may_go_on_with_a_fallback_after_the_step_that_opened_it(
    story: Story,
) -> None:
    assert not story.begin(0, "A")
    assert not story.send(1 * S, EndStep(execution="A1", epoch=1, number=1, fault=QUOTA))
    assert story.send(2 * S, story.step("A1", 1, 2)) == "circuit_open"
    assert not story.send(2 * S, story.step("A1", 1, 2, provider="other"))


def test_a_parked_provider_wears_no_task_out(story: Story) -> None:
    at = 0
    for _ in range(MAX_UNCHARGED + 3):
        assert not story.begin(at, "A")
        assert not story.end(at, "A", QUOTA)
        assert story.circuit is not None
        at = story.circuit.until_ms
    task = story.state.tasks["A"]
    assert (task.state, task.charged, task.unlucky, task.faults) == (TaskState.QUEUED, 0, 0, 0)


def test_faults_that_pass_are_tried_again_later_and_only_so_often(story: Story) -> None:
    rate = Fault(kind="rate")
    for number in range(3):
        at = 100 * S * number
        assert not story.begin(at, "A")
        assert not story.end(at, "A", rate, not_before_ms=at + 50 * S)
        assert story.begin(at + 49 * S, "A") == "backing_off"
    assert not story.begin(300 * S, "A")
    assert not story.end(300 * S, "A", rate, not_before_ms=400 * S)
    task = story.state.tasks["A"]
    assert (task.state, task.faults, task.charged) == (TaskState.BLOCKED, 4, 0)


def test_a_person_opens_and_closes_it_and_says_it_once(story: Story) -> None:
    opened = OpenCircuit(provider="p", by="ada", detail="the bill", until_ms=9 * S)
    assert not story.send(0, opened)
    assert story.begin(1 * S, "A") == "circuit_open"
    assert not story.send(1 * S, opened)
    assert story.kinds == []
    assert story.send(9 * S, opened) == "bad_time"
    assert not story.begin(9 * S, "A")
    assert not story.send(10 * S, CloseCircuit(provider="p", by="ada"))
    assert not story.send(10 * S, CloseCircuit(provider="p", by="ada"))
    assert story.kinds == []
