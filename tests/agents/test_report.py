"""Success only when nothing speaks against it; and what each failure is called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.api import Usage
from gitcto.runtime.worker import capture

if TYPE_CHECKING:
    from tests.agents.conftest import Finished

SESSION = {"kind": "session", "text": "s-1"}
TOOL = {"kind": "tool_ended", "name": "edit"}
SAID = {"kind": "message", "text": "I did it."}
ENDED = {"kind": "ended"}


def test_a_whole_run_is_a_success(run: Finished) -> None:
    report = run.said(SESSION, TOOL, SAID, {**ENDED, "usage": {"input_tokens": 7}})
    assert (report.ok, report.summary, report.session) == (True, "I did it.", "s-1")
    assert report.usage == Usage(input_tokens=7)


@pytest.mark.parametrize(
    ("lines", "how", "kind", "retryable"),
    [
        ([SESSION, SAID], {}, "protocol", True),  # no terminal event
        ([SAID, ENDED], {"code": 1}, "tool", True),  # its code denies it
        ([SAID, {**ENDED, "ok": False, "text": "status 500"}], {}, "model", True),
        ([SAID, {"kind": "refused", "name": "edit"}, ENDED], {}, "refused", False),
        ([SESSION, ENDED], {}, "empty", True),
        ([{**SAID, "text": " \n"}, ENDED], {}, "empty", True),
        ([SAID, ENDED], {"cause": "wall"}, "timeout", True),
        ([SAID, ENDED], {"cause": "idle"}, "timeout", True),
        ([SAID, ENDED], {"cause": "stopped"}, "killed", True),
        ([SAID, ENDED], {"cause": "lost", "code": -1}, "killed", True),
        ([SESSION], {"code": 137}, "killed", True),
        ([SESSION], {"code": 173, "stderr": b"x"}, "killed", True),
        ([], {"code": 127, "stderr": b"no such file"}, "tool", False),
        ([{"kind": "error", "text": "401 Unauthorized"}], {"code": 1}, "auth", False),
        ([{"kind": "error", "text": "no", "name": "429"}, SAID], {"code": 173}, "rate", True),
        ([], {"code": 1, "stderr": b"warn\nError: stream disconnected\nbye\n"}, "protocol", True),
        ([SESSION, SAID, ENDED], {"session": "s-2"}, "protocol", False),
    ],
)
def test_a_failure_has_its_class(
    run: Finished, lines: list[Any], how: dict[str, Any], kind: str, retryable: bool
) -> None:
    report = run.said(*lines, **how)
    assert not report.ok
    assert (report.fault.kind, report.fault.retryable) == (kind, retryable)
    assert report.fault.detail.isprintable()


def test_a_warning_is_no_failure(run: Finished) -> None:
    report = run.said({"kind": "warning", "text": "no metadata"}, SAID, ENDED)
    assert (report.ok, report.notes) == (True, ("no metadata",))


def test_an_error_that_was_mended_is_no_failure(run: Finished) -> None:
    assert run.said({"kind": "error", "text": "Reconnecting… 1/2"}, SAID, ENDED).ok


def test_going_on_in_its_session_is_a_success(run: Finished) -> None:
    assert run.said(SESSION, SAID, ENDED, session="s-1").ok


def test_a_tool_without_words_is_no_empty_answer(run: Finished) -> None:
    assert run.said(TOOL, ENDED).ok


def test_what_a_session_used_before_is_subtracted(run: Finished) -> None:
    used = {"kind": "used", "usage": {"input_tokens": 10, "output_tokens": 4, "cost_micros": 9}}
    before = Usage(input_tokens=7, output_tokens=1, cost_micros=5)
    run.dialect = replace(run.dialect, whole_session=True)
    assert run.said(used, SAID, ENDED, before=before).usage == Usage(
        input_tokens=3, output_tokens=3, cost_micros=4
    )
    run.dialect = replace(run.dialect, whole_session=False, sums=True)
    assert run.said(used, used, SAID, ENDED, before=before).usage.input_tokens == 20


def test_pieces_of_a_message_belong_together_until_a_tool_is_used(run: Finished) -> None:
    pieces = [{"kind": "message", "text": text} for text in ("one", " two")]
    run.dialect = replace(run.dialect, pieces=True)
    assert run.said(*pieces, TOOL, *pieces, ENDED).message == "one two"
    run.dialect = replace(run.dialect, pieces=False)
    assert run.said(*pieces, ENDED).message == " two"


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xfe\x00\x80 binary",
        b'{"kind": "warning", "text": "\xff\xc0"}',
        b'{"kind": "message"',
        b'{"kind": 7}',
        b'{"kind": "ended", "usage": {"input_tokens": "many"}}'[:30],
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'["kind", "ended"]',
        b'{"kind": "used", "usage": [1]}',
        b"\x1b[31mred\x1b[0m",
    ],
)
def test_garbage_between_events_loses_nothing(run: Finished, junk: bytes) -> None:
    report = run.said(SESSION, junk, SAID, junk, ENDED)
    assert (report.ok, report.summary) == (True, "I did it.")


def test_garbage_alone_is_a_clear_fault(run: Finished) -> None:
    report = run.printed(b"\x00\x01\x02" * 2000 + b"\nSegmentation fault\n")
    assert (report.fault.kind, report.ok) == ("protocol", False)
    assert "Segmentation fault" in report.fault.detail


def test_a_line_of_five_megabytes_is_one_event(run: Finished) -> None:
    report = run.said({"kind": "message", "text": "m" * 5_000_000}, SAID, ENDED)
    assert (report.ok, report.message) == (True, "I did it.")


def test_a_line_beyond_all_bounds_costs_only_itself(run: Finished, monkeypatch) -> None:
    monkeypatch.setattr("gitcto.agents.lines.LINE_BYTES", 1000)
    report = run.said(SESSION, {"kind": "warning", "text": "w" * 5000}, SAID, ENDED)
    assert report.ok
    assert report.notes[0].startswith("not in its dialect: ")


def test_a_last_line_without_an_end_counts(run: Finished) -> None:
    assert run.printed(b'{"kind":"message","text":"x"}\n{"kind":"ended"}').ok


@pytest.mark.parametrize("cut_within", [False, True])
def test_a_cut_in_the_middle_keeps_the_terminal_event(run: Finished, cut_within: bool) -> None:
    flood = {"kind": "message", "text": "f" * (50_000 if cut_within else 90)}
    run.said(SESSION, *[flood] * (3 if cut_within else 900), SAID, ENDED)
    with run.outcome.stdout.open("r+b") as file:
        cut = capture.settle(file.fileno(), 8192, 100)
    assert cut > 10_000
    report = run.printed(run.outcome.stdout.read_bytes(), cut_bytes=cut)
    assert (report.ok, report.message, report.session) == (True, "I did it.", "s-1")
    assert f"{cut} bytes of its output were cut" in report.notes
