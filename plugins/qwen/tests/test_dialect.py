"""What real streams of qwen 0.24.4 mean, as they were recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_qwen.provider import QwenProvider

from gitcto.api import Usage
from gitcto.testing.agents import ended

if TYPE_CHECKING:
    from gitcto.api import WorkerReport

SAMPLES = Path(__file__).parent / "samples"


def read(tmp_path: Path, name: str, **how: Any) -> WorkerReport:
    return QwenProvider().collect(ended(tmp_path, SAMPLES / f"{name}.jsonl", **how))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("edit-stream", "Fixed calc.py: add now adds."),
        ("bad-tools", "recovered"),
        ("mcp-call", "done"),
        ("resume", "second"),
    ],
)
def test_a_run_that_went_well(tmp_path: Path, name: str, message: str) -> None:
    report = read(tmp_path, name)
    assert (report.fault, report.message) == (None, message)
    assert report.session
    assert not read(tmp_path, name, code=1).ok
    assert read(tmp_path, name, cause="wall").fault.kind == "timeout"


@pytest.mark.parametrize(
    ("name", "code", "kind", "retryable"),
    [
        ("http-401", 1, "auth", False),
        ("http-429", 1, "rate", True),  # what follows speaks of quotas on every 429
        ("http-500", 1, "model", True),
        ("unreachable", 1, "model", True),
        ("cut", 1, "protocol", True),
        ("empty", 1, "empty", True),
        ("loop", 1, "model", True),
        ("schema-text", 1, "protocol", True),
        ("approval-default", 0, "refused", False),  # it calls that a success
        ("forbidden", 0, "refused", False),
        ("max-wall-time", 55, "tool", True),  # not ours: nobody asks for that limit
        ("sigINT-tool", 130, "killed", True),
    ],
)
def test_a_run_that_failed(
    tmp_path: Path, name: str, code: int, kind: str, retryable: bool
) -> None:
    fault = read(tmp_path, name, code=code).fault
    assert (fault.kind, fault.retryable) == (kind, retryable)
    assert fault.detail
    assert not read(tmp_path, name).ok  # whatever its code


def test_refused_tools_are_named(tmp_path: Path) -> None:
    detail = read(tmp_path, "approval-default").fault.detail
    assert detail == "it was not allowed to use edit, write_file, run_shell_command"


def test_that_it_asked_again_is_noted(tmp_path: Path) -> None:
    assert read(tmp_path, "cut", code=1).notes == ("it asked its model again",)


def test_an_answer_in_a_form_is_its_last_word(tmp_path: Path) -> None:
    report = read(tmp_path, "schema")
    assert report.ok
    assert json.loads(report.message) == {"status": "ok"}


def test_what_is_cached_counts_once(tmp_path: Path) -> None:
    report = read(tmp_path, "edit-stream")
    assert report.usage == Usage(input_tokens=4000, cached_tokens=800, output_tokens=160)


def test_a_run_that_was_ended_has_used_what_it_used(tmp_path: Path) -> None:
    report = read(tmp_path, "sigINT-tool", code=130, cause="stopped")
    assert report.usage == Usage(input_tokens=1000, cached_tokens=200, output_tokens=40)


def test_a_resumed_session_counts_what_is_new(tmp_path: Path) -> None:
    first = read(tmp_path, "resume-first")
    last = json.loads((SAMPLES / "resume.jsonl").read_text().splitlines()[-1])
    assert last["usage"]["total_tokens"] == 2 * first.usage.tokens  # qwen counts both
    again = read(tmp_path, "resume", session=first.session, before=first.usage)
    assert (again.ok, again.usage) == (True, first.usage)


def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    words = b"No saved session found with ID 1. Run `qwen --resume` without an ID to choose.\n"
    report = read(tmp_path, "none", code=1, stderr=words)
    assert (report.fault.kind, report.fault.retryable) == ("protocol", False)


def test_it_can_be_followed(tmp_path: Path) -> None:
    progress = QwenProvider().poll(ended(tmp_path, SAMPLES / "edit-stream.jsonl"), "")
    tools = [each.name for each in progress.events if each.kind == "tool_started"]
    assert tools == ["read_file", "edit", "write_file", "run_shell_command"]
    assert progress.usage.tokens == 4960
    assert progress.ended
