"""SARIF: what is written can be read, and nothing unclear is ever read as green."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitcto.reports import sarif
from gitcto.reports.sarif import Finding, SarifError, emit_sarif, parse_sarif

FINDINGS = (
    Finding(rule="b", level="error", message="Bad", path="src/ü a.py", line=3),
    Finding(rule="a", level="note", message="Hm", path="raw\udcff", fingerprints={"x/v1": "9"}),
    Finding(rule="b", level="none", message="All of it"),
)


def report(*results: dict[str, Any], **run: Any) -> bytes:
    """Return a report with one run."""
    whole = {"tool": {"driver": {"name": "t"}}, "results": list(results), **run}
    return json.dumps({"version": "2.1.0", "runs": [whole]}).encode()


def result(**fields: Any) -> dict[str, Any]:
    return {"ruleId": "r", "message": {"text": "m"}, **fields}


def test_what_is_written_is_read_back_and_written_the_same() -> None:
    data = emit_sarif("tool", FINDINGS)
    assert parse_sarif(data) == FINDINGS
    assert emit_sarif("tool", parse_sarif(data)) == data


def test_the_shape_is_that_of_the_standard() -> None:
    run = json.loads(emit_sarif("tool", FINDINGS))["runs"][0]
    assert run["tool"]["driver"] == {"name": "tool", "rules": [{"id": "a"}, {"id": "b"}]}
    assert run["results"][0] == {
        "ruleId": "b",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": "Bad"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "src/%C3%BC%20a.py"},
                    "region": {"startLine": 3},
                }
            }
        ],
    }


def test_a_result_without_a_level_has_that_of_its_rule_or_is_a_warning() -> None:
    rules = [{"id": "r", "defaultConfiguration": {"level": "error"}}, {"id": "s"}]
    data = report(
        result(),
        result(ruleIndex=1),
        {"rule": {"index": 0}, "message": {}},
        tool={"driver": {"rules": rules}},
    )
    assert [(each.rule, each.level) for each in parse_sarif(data)] == [
        ("r", "error"),
        ("r", "warning"),
        ("r", "error"),
    ]


@pytest.mark.parametrize(
    "passed_over",
    [
        {"kind": "pass"},
        {"kind": "informational"},
        {"baselineState": "absent"},
        {"suppressions": [{"kind": "inSource"}]},
        {"suppressions": [{"kind": "external", "status": "accepted"}]},
    ],
)
def test_what_does_not_count_is_left_out(passed_over: dict[str, Any]) -> None:
    assert parse_sarif(report(result(**passed_over))) == ()


@pytest.mark.parametrize(
    "counting",
    [
        {"kind": "fail"},
        {"baselineState": "new"},
        {"suppressions": []},
        {"suppressions": [{"kind": "external", "status": "underReview"}]},
    ],
)
def test_what_counts_is_kept(counting: dict[str, Any]) -> None:
    assert len(parse_sarif(report(result(**counting)))) == 1


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not SARIF"),
        (b'{"version": "2.0.0", "runs": []}', "not SARIF"),
        (b'{"version": "2.1.0"}', "no run"),
        (b'{"version": "2.1.0", "runs": []}', "no run"),
        (b'{"version": "2.1.0", "runs": {}}', "'runs' of the report"),
        (b'{"version": "2.1.0", "runs": [{}]}', "did not get that far"),
        (report(invocations=[{"executionSuccessful": False}]), "did not end well"),
        (report(invocations=[{}]), "did not end well"),
        (report(result(level="terrible")), "level"),
        (report(result(level=["error"])), "level"),
        (report(result(message="m")), "'message' of the report"),
        (report(result(ruleId=3)), "'ruleId' of the report"),
    ],
)
def test_what_is_unclear_is_no_report(data: bytes, why: str) -> None:
    with pytest.raises(SarifError, match=why):
        parse_sarif(data)


def test_reports_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = report(result(), result())
    monkeypatch.setattr(sarif, "MAX_FINDINGS", 1)
    with pytest.raises(SarifError, match="more than 1 findings"):
        parse_sarif(data)
    monkeypatch.setattr(sarif, "MAX_SARIF_BYTES", 100)
    with pytest.raises(SarifError, match="larger than"):
        parse_sarif(data)
