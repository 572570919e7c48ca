"""What real streams of gemini 0.61.0 mean, as they were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_gemini.provider import GeminiProvider

from gitcto.api import Usage
from gitcto.testing.agents import ended

if TYPE_CHECKING:
    from gitcto.api import WorkerReport

SAMPLES = Path(__file__).parent / "samples"


def read(tmp_path: Path, name: str, **how: Any) -> WorkerReport:
    return GeminiProvider().collect(ended(tmp_path, SAMPLES / f"{name}.jsonl", **how))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("edit-stream", "Fixed calc.py: add now adds."),
        ("bad-tools", "recovered"),  # a tool that there is not, and one without an argument
        ("mcp-call", "reported"),
        ("resume", "All done, nothing to change."),
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
        ("http-401", 145, "auth", False),
        ("bad-key", 144, "auth", False),  # Google answers 400
        ("http-404", 1, "model", True),  # its text says nothing, nor does its code
        ("http-429", 173, "rate", True),  # what follows speaks of quotas on every 429
        ("rate-minute", 173, "rate", True),
        ("quota-day", 173, "quota", False),
        ("http-500", 244, "model", True),
        ("http-503", 247, "model", True),  # only the code tells: 503 mod 256
        ("unreachable", 1, "model", True),
        ("cut", 0, "protocol", True),
        ("empty", 0, "empty", True),
        ("loop", 0, "model", True),  # it calls that a success
        ("turn-limit", 53, "timeout", True),
        ("approval-default", 0, "refused", False),  # and that
        ("forbidden", 0, "refused", False),
        ("sigINT-tool", 0, "protocol", True),  # and ends so when it was interrupted
    ],
)
def test_a_run_that_failed(
    tmp_path: Path, name: str, code: int, kind: str, retryable: bool
) -> None:
    fault = read(tmp_path, name, code=code).fault
    assert (fault.kind, fault.retryable) == (kind, retryable)
    assert fault.detail
    assert "\n" not in fault.detail


def test_what_the_server_says_of_waiting_is_kept(tmp_path: Path) -> None:
    assert read(tmp_path, "rate-minute", code=173).fault.retry_after_s == 34
    assert read(tmp_path, "http-429", code=173).fault.retry_after_s == 0


def test_refused_tools_are_named(tmp_path: Path) -> None:
    detail = read(tmp_path, "approval-default").fault.detail
    assert detail == "it was not allowed to use replace, write_file, run_shell_command"


def test_a_tool_that_gemini_never_had_is_not_refused(tmp_path: Path) -> None:
    assert read(tmp_path, "bad-tools").notes == ()


def test_thoughts_are_in_its_total_only(tmp_path: Path) -> None:
    counted = Usage(input_tokens=4000, cached_tokens=800, output_tokens=200, reasoning_tokens=40)
    report = read(tmp_path, "edit-stream")
    assert report.usage == counted
    assert report.usage.tokens == 5000


def test_a_resumed_session_counts_what_is_new(tmp_path: Path) -> None:
    session = "11111111-2222-4333-8444-555555555555"
    report = read(tmp_path, "resume", session=session, before=Usage(input_tokens=1000))
    assert report.ok
    assert report.usage.input_tokens == 1000
    other = read(tmp_path, "resume", session="22222222-2222-4333-8444-555555555555")
    assert other.fault.kind == "protocol"


@pytest.mark.parametrize(
    ("code", "stderr", "kind"),
    [
        (41, b"you must specify the GEMINI_API_KEY environment variable.\n", "auth"),
        (42, b'Error resuming session: Invalid session identifier "1".\n', "protocol"),
        (55, b"Gemini CLI is not running in a trusted directory.\n", "tool"),
        (1, b"Unknown argument: nonsense\n", "tool"),
        (137, b"", "killed"),
    ],
)
def test_an_end_before_its_first_word(tmp_path: Path, code: int, stderr: bytes, kind: str) -> None:
    report = read(tmp_path, "none", code=code, stderr=stderr)
    assert report.fault.kind == kind
    assert report.fault.retryable is (kind == "killed" or code == 1)


def test_it_can_be_followed(tmp_path: Path) -> None:
    progress = GeminiProvider().poll(ended(tmp_path, SAMPLES / "edit-stream.jsonl"), "")
    tools = [each.name for each in progress.events if each.kind == "tool_started"]
    assert tools == ["read_file", "replace", "write_file", "run_shell_command"]
    assert all(each.ok for each in progress.events)
    assert progress.ended
