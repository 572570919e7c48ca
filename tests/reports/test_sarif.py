"""SARIF: what is written can be read, and nothing that cannot be believed is ever read as green."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitcto.reports.records import ReportError
from gitcto.reports.sarif import Finding, emit_sarif, parse_sarif

FINDINGS = (
    Finding(rule="b", severity="error", message="Bad", path="src/ü a.py", line=3),
    Finding(rule="a", severity="note", message="Hm", path="%41:b", fingerprints={"x/v1": "9"}),
    Finding(rule="b", severity="none", message="All of it"),
)


def sarif(*results: Any, **run: Any) -> bytes:
    return json.dumps({"version": "2.1.0", "runs": [{"results": list(results), **run}]}).encode()


def test_what_is_written_is_read_back_and_written_the_same() -> None:
    data = emit_sarif("tool", FINDINGS)
    assert parse_sarif(data) == FINDINGS
    assert emit_sarif("tool", parse_sarif(data)) == data


def test_what_is_written_has_the_shape_of_the_standard() -> None:
    log = json.loads(emit_sarif("tool", FINDINGS))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["tool"]["driver"] == {"name": "tool", "rules": [{"id": "a"}, {"id": "b"}]}
    uri = {"uri": "src/%C3%BC%20a.py"}
    assert run["results"][0] == {
        "ruleId": "b",
        "ruleIndex": 1,
        "level": "error",
        "message": {"text": "Bad"},
        "locations": [{"physicalLocation": {"artifactLocation": uri, "region": {"startLine": 3}}}],
    }


def test_a_path_that_is_no_text_can_be_written() -> None:
    data = emit_sarif("tool", [Finding(rule="r", severity="note", path="raw\udcff")])
    assert b'"raw%FF"' in data


def test_findings_are_read() -> None:
    place = {"artifactLocation": {"uri": "./src/a%20b.py"}, "region": {"startLine": 7}}
    result = {
        "ruleId": "S1",
        "level": "error",
        "message": {"text": "do\nnot"},
        "locations": [{"physicalLocation": place}],
    }
    (found,) = parse_sarif(sarif(result))
    assert str(found) == "src/a b.py:7: do not (S1)"
    assert found.severity == "error"


def test_a_rule_says_how_grave_it_is() -> None:
    rules = [{"id": "R", "defaultConfiguration": {"level": "note"}}]
    found = parse_sarif(
        sarif(
            {"ruleId": "R"},
            {"ruleId": "Q"},
            {"ruleIndex": 0},
            {"rule": {"index": 0}},
            tool={"driver": {"rules": rules}},
        )
    )
    assert [(one.rule, one.severity) for one in found] == [
        ("R", "note"),
        ("Q", "warning"),
        ("R", "note"),
        ("R", "note"),
    ]


@pytest.mark.parametrize(
    ("more", "stands"),
    [
        ({}, True),
        ({"suppressions": []}, True),
        ({"suppressions": [{"kind": "inSource"}]}, False),
        ({"suppressions": [{"status": "accepted"}, {"status": "underReview"}]}, True),
        ({"suppressions": [{"status": "rejected"}]}, True),
        ({"baselineState": "absent"}, False),
        ({"baselineState": "unchanged"}, True),
        ({"kind": "pass"}, False),
        ({"kind": "notApplicable"}, False),
        ({"kind": "review"}, True),
    ],
)
def test_what_nobody_accepted_stands(more: dict[str, Any], stands: bool) -> None:
    assert bool(parse_sarif(sarif({"ruleId": "R", **more}))) is stands


@pytest.mark.parametrize("level", ["no such level", 3, ["note"]])
def test_a_level_that_nobody_knows_is_an_error(level: object) -> None:
    assert parse_sarif(sarif({"ruleId": "R", "level": level}))[0].severity == "error"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "no list"),
        (b'{"runs": []}', "no list"),
        (b'{"runs": [1]}', "no SARIF"),
        (b'{"runs": [{}]}', "without results"),
        (sarif(1), "no SARIF"),
        (sarif({"message": "text"}), "no SARIF"),
        (sarif(invocations=[{"executionSuccessful": False}]), "did not succeed"),
        (sarif({"ruleId": "R" * 5000}), "more than 4096 characters"),
        (b" " * ((16 << 20) + 1), "longer than 16 MiB"),
    ],
)
def test_what_cannot_be_believed_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        parse_sarif(data)
