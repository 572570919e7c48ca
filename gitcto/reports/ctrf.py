"""CTRF, the Common Test Report Format: one JSON document, whatever ran the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from gitcto.reports.records import (
    MAX_CASES,
    Case,
    Report,
    ReportError,
    Status,
    checked,
    line,
    within_size,
)

SPEC_VERSION = "0.0.0"
"""The version of the format that is written: the only one there is so far."""

_STATUSES: Mapping[str, Status] = {status: status for status in get_args(Status)}
_DAY_MS = 86_400_000


def parse_ctrf(data: bytes) -> Report:
    """Return what a CTRF report says.

    Raises ``ReportError``: not JSON, not CTRF, too long, too deep, too many tests, an unknown
    status, or a summary that speaks of failures when no test is named that failed.
    """
    within_size(data)
    results = _table(_table(_decoded(data), "document").get("results"), "results")
    tests = results.get("tests")
    if not isinstance(tests, list):
        raise ReportError('is no CTRF: it has no list "tests"')
    if len(tests) > MAX_CASES:
        raise ReportError(f"names more than {MAX_CASES} tests")
    report = Report(cases=tuple(_case(_table(test, "test")) for test in tests))
    told = _table(results.get("summary"), "summary").get("failed", 0)
    if told and not report.failed:
        raise ReportError("counts failures and names none")
    return report


def emit_ctrf(
    report: Report,
    *,
    tool: str,
    start_ms: int = 0,
    stop_ms: int = 0,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Return a report as CTRF: the same bytes for the same values.

    :param tool: what ran the tests; ``environment`` is taken over as it is.
    :param start_ms: when they began and ended, in milliseconds since the epoch.
    """
    counts = dict.fromkeys(_STATUSES, 0)
    for case in report.cases:
        counts[case.status] += 1
    summary = {"tests": len(report.cases), **counts, "start": start_ms, "stop": stop_ms}
    results: dict[str, object] = {
        "tool": {"name": tool},
        "summary": summary,
        "tests": [_test(case) for case in report.cases],
    }
    if environment:
        results["environment"] = dict(environment)
    document = {"reportFormat": "CTRF", "specVersion": SPEC_VERSION, "results": results}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _test(case: Case) -> dict[str, object]:
    told = {"suite": case.suite, "filePath": case.file, "message": case.message}
    said = {key: value for key, value in told.items() if value}
    return {"name": case.name, "status": case.status, "duration": case.duration_ms, **said}


def _decoded(data: bytes) -> object:
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ReportError("is nested too deep") from error
    except ValueError as error:
        raise ReportError(f"is not JSON: {line(str(error))}") from error


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ReportError(f"is no CTRF: its {what} is no table")
    return value


def _case(test: dict[str, Any]) -> Case:
    name, status = test.get("name"), test.get("status")
    if not isinstance(name, str) or not name:
        raise ReportError("has a test without a name")
    if not isinstance(status, str) or status not in _STATUSES:
        raise ReportError("has a test with a status that CTRF does not know")
    duration = test.get("duration", 0)
    timed = isinstance(duration, int | float) and 0 <= duration < _DAY_MS
    return Case(
        name=checked("test's name", name),
        status=_STATUSES[status],
        suite=checked("suite's name", _suite(test.get("suite"))),
        file=checked("file's name", _text(test.get("filePath"))),
        message=line(_text(test.get("message"))),
        duration_ms=round(duration) if timed else 0,
    )


def _suite(value: object) -> str:
    """Return a suite's name; newer versions give the suites from the outermost to the innermost."""
    if isinstance(value, list):
        return " > ".join(part for part in value if isinstance(part, str))
    return _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
