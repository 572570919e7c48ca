"""What real streams of codex 0.169.0 mean, as they were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_codex.dialect import DIALECT
from gitcto_codex.provider import CodexProvider

from gitcto.api import Usage
from gitcto.testing.agents import ended

if TYPE_CHECKING:
    from gitcto.api import WorkerReport

SAMPLES = Path(__file__).parent / "samples"
REJECTED = (
    b"2026-11-29T01:27:22Z ERROR codex_core::tools::router: error=approval policy is Never; "
    b"reject command \xe2\x80\x94 you cannot ask for escalated permissions if ...\n"
)


def read(tmp_path: Path, name: str, **how: Any) -> WorkerReport:
    return CodexProvider().collect(ended(tmp_path, SAMPLES / f"{name}.jsonl", **how))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("edit-exec_command", "Fixed calc.py: add now adds."),
        ("edit-apply_patch-freeform", "Fixed with the freeform tool."),
        ("edit-code-mode", None),
        ("mcp-call", "reported"),
        ("resume", "All done, nothing to change."),
    ],
)
def test_a_turn_that_was_completed(tmp_path: Path, name: str, message: str | None) -> None:
    report = read(tmp_path, name)
    assert report.fault is None
    assert message in (None, report.message)
    assert report.session.startswith("01a1f8")
    assert read(tmp_path, name, code=1).fault is not None


@pytest.mark.parametrize(
    ("name", "kind", "retryable"),
    [
        ("http-401", "auth", False),
        ("http-429", "rate", True),
        ("http-500", "model", True),
        ("http-503", "model", True),
        ("drop", "protocol", True),
        ("sigINT-tool", "tool", True),
    ],
)
def test_a_turn_that_failed(tmp_path: Path, name: str, kind: str, retryable: bool) -> None:
    report = read(tmp_path, name, code=1)
    assert (report.fault.kind, report.fault.retryable) == (kind, retryable)
    assert not read(tmp_path, name).ok  # whatever its code


def test_what_is_cached_counts_once(tmp_path: Path) -> None:
    report = read(tmp_path, "edit-exec_command")
    counted = Usage(input_tokens=4000, cached_tokens=800, output_tokens=160, reasoning_tokens=40)
    assert report.usage == counted
    assert report.usage.tokens == 4800 + 160


def test_a_resumed_session_counts_what_is_new(tmp_path: Path) -> None:
    before = Usage(input_tokens=1000, cached_tokens=200, output_tokens=40, reasoning_tokens=10)
    session = "01a1f840-108b-7850-8ee5-d48534e59357"
    report = read(tmp_path, "resume", before=before, session=session)
    assert (report.ok, report.usage) == (True, before)


def test_another_session_than_asked_for_is_a_fault(tmp_path: Path) -> None:
    """``resume`` of something that is no id begins a new session, with code 0."""
    report = read(tmp_path, "resume", session="01a1f840-0000-0000-0000-000000000000")
    assert report.fault.kind == "protocol"
    assert "instead of going on" in report.fault.detail


def test_a_refusal_is_told_on_standard_error_alone(tmp_path: Path) -> None:
    report = read(tmp_path, "mcp-call", stderr=REJECTED)
    assert report.fault.kind == "refused"
    unknown = b"... ERROR codex_core::tools::router: error=unsupported call: nonesuch\n"
    assert read(tmp_path, "mcp-call", stderr=unknown).ok


def test_a_key_that_is_refused_is_asked_for_again() -> None:
    fault = DIALECT.fault("provider auth command `/bin/sh` exited with status exit status: 1", "")
    assert (fault.kind, fault.retryable) == ("auth", False)


def test_a_warning_item_is_a_note(tmp_path: Path) -> None:
    assert read(tmp_path, "mcp-call").notes[0].startswith("Model metadata for `mock-model`")


def test_progress_tells_what_it_does(tmp_path: Path) -> None:
    progress = CodexProvider().poll(ended(tmp_path, SAMPLES / "edit-exec_command.jsonl"), "")
    kinds = [event.kind for event in progress.events]
    assert kinds[:4] == ["session", "warning", "thinking", "message"]
    assert [event.text for event in progress.events if event.kind == "edited"] == [
        "/w/wt/cx2/calc.py",
        "/w/wt/cx2/notes/new.md",
    ]
    assert progress.ended
