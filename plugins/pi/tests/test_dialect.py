"""What pi's streams mean, on samples of real ones (pi 1.6.0)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gitcto_pi.dialect import DIALECT, events

from gitcto.api import Usage, WorkerReport, collect_report
from gitcto.provider_contracts import AgentEvent
from gitcto.testing.agents import ended

SAMPLES = Path(__file__).parent / "samples"


def report(name: str, code: int = 0) -> WorkerReport:
    return collect_report(DIALECT, ended(SAMPLES, SAMPLES / f"{name}.jsonl", code=code))


def test_an_edit_is_a_success_with_its_words_its_session_and_what_it_used() -> None:
    told = report("edit")
    assert told.ok
    assert told.message == "Fixed calc.py: add now adds."
    assert told.session.startswith("01a224")
    assert told.usage == Usage(
        input_tokens=4000,
        cached_tokens=800,
        output_tokens=160,
        reasoning_tokens=40,
        cost_micros=4400,
    )


@pytest.mark.parametrize(
    ("name", "kind", "retryable", "code"),
    [
        ("http-401", "auth", False, "401"),
        ("http-429", "rate", True, "429"),
        ("quota", "quota", False, "429"),
        ("http-500", "model", True, "500"),
        ("cut", "protocol", True, ""),
        ("empty", "empty", True, ""),
        ("refused", "refused", False, ""),
        ("refused-connection", "model", True, ""),
    ],
)
def test_a_failure_is_named_although_pi_ends_with_zero(
    name: str, kind: str, retryable: bool, code: str
) -> None:
    fault = report(name).fault
    assert fault is not None
    assert (fault.kind, fault.retryable, fault.provider_code) == (kind, retryable, code)


def test_calls_of_tools_that_make_no_sense_are_no_refusals() -> None:
    assert report("bad-tools").ok
    assert report("bad-tools").message == "recovered"


def test_a_later_answer_counts_more_than_an_earlier_failure() -> None:
    told = report("retries")
    assert told.ok
    assert told.message == "after all"
    assert any("asked again" in note for note in told.notes)


def test_a_run_that_was_killed_has_no_end() -> None:
    fault = report("sigINT-tool", code=130).fault
    assert fault is not None
    assert fault.kind == "killed"
    fault = report("sigINT-tool").fault
    assert fault is not None
    assert fault.kind == "protocol"


def test_tools_are_told_when_they_begin_and_when_they_end() -> None:
    found = [
        (event.kind, event.name, event.ok)
        for line in (SAMPLES / "mcp-call.jsonl").read_bytes().splitlines()
        for event in events(json.loads(line))
        if event.name
    ]
    name = "mcp__cto__report_progress"
    assert found == [("tool_started", name, True), ("tool_ended", name, True)]


def test_rpc_tells_its_session_and_refuses_a_prompt() -> None:
    state = {"type": "response", "command": "get_state", "success": True}
    found = list(events(state | {"data": {"sessionId": "s-1"}}))
    assert found == [AgentEvent(kind="session", text="s-1")]
    refused = {"type": "response", "command": "prompt", "success": False, "error": "No API key"}
    assert list(events(refused)) == [AgentEvent(kind="error", ok=False, text="No API key")]


def test_a_run_that_was_aborted_was_killed() -> None:
    fault = report("aborted", code=130).fault
    assert fault is not None
    assert (fault.kind, fault.provider_code) == ("killed", "aborted")


def test_what_is_not_known_means_nothing() -> None:
    assert list(events({"type": "from_tomorrow"})) == []
