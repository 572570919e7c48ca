"""What claude 2.1.328 said (samples of real runs, cut), in the words of all providers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gitcto_claude.dialect import DIALECT, meaning, meanings
from gitcto_claude.provider import ClaudeProvider

from gitcto.api import AgentEvent, Usage, WorkerOutcome, WorkerReport, collect_report
from gitcto.testing.agents import ended

SAMPLES = Path(__file__).with_name("samples")


def outcome(name: str, **told: Any) -> WorkerOutcome:
    return ended(SAMPLES, SAMPLES / f"{name}.jsonl", **told)


def report(name: str, **told: Any) -> WorkerReport:
    return collect_report(DIALECT, outcome(name, **told))


def events(name: str) -> tuple[AgentEvent, ...]:
    return ClaudeProvider().poll(outcome(name), "").events


def test_an_edit() -> None:
    found = report("edit-stream")
    assert (found.fault, found.message) == (None, "Fixed calc.py: add now adds.")
    assert found.session == "cfb378d6-08bb-4854-b241-be1a647d79b0"
    assert found.usage == Usage(
        input_tokens=4800, cached_tokens=800, output_tokens=160, cost_micros=17040
    )
    told = [(one.kind, one.text) for one in events("edit-stream")]
    assert ("edited", "/w/wt/cl1/calc.py") in told
    assert ("edited", "/w/wt/cl1/notes/new.md") in told
    assert told[-1] == ("ended", "Fixed calc.py: add now adds.")


def test_an_error_of_the_model_has_subtype_success_and_is_none() -> None:
    found = report("http-401", code=1)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.retryable, found.fault.provider_code) == (
        *("auth", False, "401"),
    )
    assert not found.message
    assert report("http-401", code=0).fault == found.fault


def test_requests_that_were_made_again_are_told() -> None:
    found = report("http-500-retries", code=1)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.retryable) == ("model", True)
    assert found.notes == ("the model was asked again after server_error (500)",)


def test_what_was_refused_is_no_success_though_the_result_says_so() -> None:
    found = report("permission-default")
    assert found.fault is not None
    assert (found.fault.kind, found.fault.detail) == (
        *("refused", "it was not allowed to use Edit, Write, Bash"),
    )


def test_a_result_alone_tells_what_was_refused() -> None:
    lines = (SAMPLES / "permission-default.jsonl").read_text().splitlines()
    (result,) = [line for line in lines if '"type": "result"' in line]

    names = [one.name for one in meanings(json.loads(result)) if one.kind == "refused"]
    assert names == ["Edit", "Write", "Bash"]


def test_what_a_session_used_before_is_subtracted() -> None:
    whole = report("resume").usage
    assert whole == Usage(input_tokens=2400, cached_tokens=400, output_tokens=80, cost_micros=8520)
    before = Usage(input_tokens=1200, cached_tokens=200, output_tokens=40, cost_micros=4260)
    found = report("resume", before=before, session="11111111-2222-4333-8444-555555555555")
    assert (found.fault, found.usage) == (None, before)
    other = report("resume", session="11111111-2222-4333-8444-000000000000")
    assert other.fault is not None
    assert other.fault.kind == "protocol"


def test_an_interrupt_exits_with_0_and_is_no_success() -> None:
    found = report("sigINT-tool", code=0)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.provider_code) == ("killed", "aborted_tools")
    assert found.session
    assert found.usage.cost_micros == 4260


def test_a_tool_that_is_not_there_is_no_refusal() -> None:
    found = report("bad-tools")
    assert (found.fault, found.message) == (None, "recovered")
    failed = [one for one in events("bad-tools") if one.kind == "tool_ended"]
    assert [one.ok for one in failed] == [False, False, False]


def test_a_tool_of_ours_is_called_by_its_server() -> None:
    names = [one.name for one in events("mcp-call") if one.kind == "tool_started"]
    assert names == ["mcp__cto__report_progress"]


def test_an_answer_is_what_fits_the_schema() -> None:
    result = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "result": "See above.",
        "structured_output": {"verdict": "approve", "why": "größer"},
    }
    end = list(meanings(result))[-1]
    assert (end.kind, end.ok, end.text) == (
        *("ended", True, '{"verdict": "approve", "why": "größer"}'),
    )


def test_what_a_subagent_says_is_not_the_message() -> None:
    words = {"type": "text", "text": "from below"}
    tool = {"type": "tool_use", "name": "Read", "input": {"file_path": "/w/a"}}
    record = {
        "type": "assistant",
        "parent_tool_use_id": "toolu_1",
        "message": {"content": [words, tool]},
    }
    assert [one.kind for one in meanings(record)] == ["tool_started"]


@pytest.mark.parametrize(
    ("text", "code", "kind"),
    [
        ("Your credit balance is too low", "400", "quota"),
        ("API Error: 529 Overloaded", "529", "model"),
        ("API Error: Request rejected (429)", "429", "rate"),
        ("You've reached your usage limit", "429", "quota"),
        ("prompt is too long", "400", "model"),
        ("", "aborted_streaming", "killed"),
        ("No conversation found with session ID: 1-2", "error_during_execution", "protocol"),
    ],
)
def test_errors_have_their_class(text: str, code: str, kind: str) -> None:
    assert meaning(text, code).kind == kind


@pytest.mark.parametrize(
    "record",
    [
        {"type": "stream_event", "event": {}},
        {"type": "system", "subtype": "status"},
        {"type": "user", "message": {"content": "the prompt"}},
        {"type": "assistant", "message": {"content": [{"type": "new"}]}},
    ],
)
def test_what_is_unknown_means_nothing(record: dict[str, Any]) -> None:
    assert list(meanings(record)) == []
