"""What opencode's streams mean, on samples of real ones (opencode 1.18.33, with our guard)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gitcto_opencode.dialect import DIALECT, events

from gitcto.api import AgentEvent, Usage, WorkerReport, collect_report
from gitcto.testing.agents import ended

SAMPLES = Path(__file__).parent / "samples"


def report(name: str, code: int = 0) -> WorkerReport:
    return collect_report(DIALECT, ended(SAMPLES, SAMPLES / f"{name}.jsonl", code=code))


def meant(name: str) -> list[AgentEvent]:
    lines = (SAMPLES / f"{name}.jsonl").read_bytes().splitlines()
    return [event for line in lines for event in events(json.loads(line))]


def test_an_edit_is_a_success_with_its_words_its_session_and_what_it_used() -> None:
    told = report("edit")
    assert told.ok
    assert told.message == "Fixed calc.py: add now adds."
    assert told.session.startswith("ses_")
    assert told.usage == Usage(
        input_tokens=4000,
        cached_tokens=800,
        output_tokens=160,
        reasoning_tokens=40,
        cost_micros=4320,
    )


def test_edits_thoughts_and_failed_commands_are_told() -> None:
    found = meant("edit")
    edited = [event.text for event in found if event.kind == "edited"]
    assert edited == ["calc.py", "notes/new.md"]
    assert [event.text for event in found if event.kind == "thinking"] == ["Look first."]
    tools = [(event.name, event.ok) for event in found if event.kind == "tool_ended"]
    assert tools == [("read", True), ("edit", True), ("write", True), ("bash", False)]


@pytest.mark.parametrize(
    ("name", "code", "kind", "retryable", "provider_code"),
    [
        ("http-401", 1, "auth", False, "401"),
        ("http-429", 0, "rate", True, "429"),
        ("http-429-six-times", 1, "rate", True, "429"),
        ("quota", 0, "quota", False, "429"),
        ("http-500", 0, "model", True, "500"),
        ("cut", 1, "protocol", True, "cut"),
        ("empty", 0, "empty", True, ""),
        ("refused", 0, "refused", False, ""),
        ("refused-webfetch", 0, "refused", False, ""),
        ("permission-ask", 0, "refused", False, ""),
        ("refused-connection", 0, "model", True, "unreachable"),
    ],
)
def test_a_failure_is_named_whatever_the_code(
    name: str, code: int, kind: str, retryable: bool, provider_code: str
) -> None:
    fault = report(name, code).fault
    assert fault is not None
    found = (fault.kind, fault.retryable, fault.provider_code)
    assert found == (kind, retryable, provider_code)


def test_the_wait_that_a_server_asks_for_is_told() -> None:
    fault = report("http-429").fault
    assert fault is not None
    assert fault.retry_after_s == 7


def test_calls_of_tools_that_make_no_sense_are_no_refusals() -> None:
    assert report("bad-tools").ok
    assert report("bad-tools").message == "recovered"


def test_a_run_that_was_killed_has_no_end() -> None:
    fault = report("sigINT-tool", -2).fault
    assert fault is not None
    assert fault.kind in {"killed", "tool"}
    fault = report("sigINT-tool").fault
    assert fault is not None
    assert fault.kind == "protocol"


def test_a_stream_that_was_cut_is_no_end() -> None:
    finished = [event for event in meant("cut") if event.kind in {"error", "ended"}]
    assert not any(event.ok for event in finished)
    assert [event.name for event in finished if event.kind == "error"] == ["cut", "cut"]


def test_what_is_not_known_means_nothing() -> None:
    assert list(events({"type": "from_tomorrow"})) == []
