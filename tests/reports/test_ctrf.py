from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcto.reports.ctrf import emit_ctrf, parse_ctrf
from gitcto.reports.records import Case, Report, ReportError

TEXT = st.text(st.characters(categories=["L", "N", "P"]), max_size=20)
CASES = st.builds(
    Case,
    name=TEXT.filter(bool),
    status=st.sampled_from(["passed", "failed", "skipped", "pending", "other"]),
    suite=TEXT,
    file=TEXT,
    message=TEXT,
    duration_ms=st.integers(0, 10**6),
)


@given(st.lists(CASES, max_size=5))
def test_what_is_written_is_read_again(cases: list[Case]) -> None:
    report = Report(cases=tuple(cases))
    assert parse_ctrf(emit_ctrf(report, tool="t")) == report


def test_what_is_written() -> None:
    cases = (
        Case(name="a", suite="S", status="passed", duration_ms=3),
        Case(name="b", status="failed", message="no"),
    )
    data = emit_ctrf(
        Report(cases=cases), tool="pytest", start_ms=5, stop_ms=9, environment={"appName": "x"}
    )
    counts = {"tests": 2, "passed": 1, "failed": 1, "skipped": 0, "pending": 0, "other": 0}
    assert json.loads(data) == {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "results": {
            "tool": {"name": "pytest"},
            "summary": {**counts, "start": 5, "stop": 9},
            "tests": [
                {"name": "a", "suite": "S", "status": "passed", "duration": 3},
                {"name": "b", "status": "failed", "duration": 0, "message": "no"},
            ],
            "environment": {"appName": "x"},
        },
    }


def document(*tests: Any, failed: int = 0) -> bytes:
    results = {"tool": {"name": "t"}, "summary": {"failed": failed}, "tests": list(tests)}
    return json.dumps({"results": results}).encode()


def test_what_others_write_is_read() -> None:
    told = {"name": "n", "status": "failed", "duration": 1.6, "suite": ["A", "B"], "extra": {}}
    (case,) = parse_ctrf(document(told, failed=1)).cases
    assert (case.id, case.status, case.duration_ms) == ("A > B::n", "failed", 2)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "no CTRF"),
        (b"{}", "no CTRF"),
        (b'{"results": {"summary": {}}}', "no list"),
        (document(1), "no CTRF"),
        (document({"status": "passed"}), "without a name"),
        (document({"name": "n", "status": "green"}), "status"),
        (document({"name": "n", "status": ["passed"]}), "status"),
        (document({"name": "n", "status": "passed"}, failed=1), "names none"),
        (b" " * ((16 << 20) + 1), "longer than 16 MiB"),
    ],
)
def test_what_cannot_be_believed_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        parse_ctrf(data)
