"""What a bundle says, without git: the files, the formats they follow, the same bytes each time."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcto.evidence.account import GateRun, LedgerLine
from gitcto.evidence.canonical import canonical, digest, time_text
from gitcto.evidence.compose import files_of
from gitcto.evidence.dsse import PAYLOAD_TYPE, Signature, envelope, opened, pae
from gitcto.evidence.events import GENESIS
from gitcto.evidence.verify import ALWAYS, verify_bundle
from gitcto.model.codec import seal
from gitcto.model.queue_events import ApprovalGranted, ApprovalRequested
from gitcto.model.records import TaskSpec
from tests.evidence.conftest import (
    CHANGE,
    DECISION,
    DEFINITION,
    NONCE,
    ONTO,
    POLICY,
    TREE,
    WORK,
    account,
    bundle_of,
    execution,
    found,
    ledger_lines,
    verdict,
)


def report_of(files: dict[str, bytes]) -> dict[str, Any]:
    return json.loads(files["report.json"])


def test_a_bundle_has_every_file_and_is_whole() -> None:
    files = bundle_of(account())
    gates = {"gates/tests.log", "gates/tests/scan.sarif"}
    assert files.keys() == {*ALWAYS, *gates, "manifest.json"}
    assert verify_bundle(found(files)) == []


def test_the_same_account_gives_the_same_bytes() -> None:
    assert bundle_of(account()) == bundle_of(account())
    assert list(bundle_of(account())) == list(bundle_of(account()))


def test_the_report_says_what_was_asked_of_it() -> None:
    report = report_of(bundle_of(account()))
    assert report["status"] == "pass"
    assert report["blockers"] == []
    assert (report["started_ms"], report["ended_ms"]) == (1_700_000_001_000, 1_700_000_002_000)
    assert report["exit"] == {"code": 0, "cause": "exited"}
    assert report["changes"][1] == {"status": "M", "path": "caf\ufffd.txt"}
    assert report["nonce"] == NONCE
    assert report["raw_cut"] == ["stderr"]
    assert {entry["path"] for entry in report["artifacts"]} >= {"patch.diff", "test.log"}
    assert report["events"] == {"first": 1, "last": 2, "count": 2}


@pytest.mark.parametrize(
    ("changes", "blockers"),
    [
        ({"gates": ()}, ["paths:not_judged", "tests:not_judged"]),
        ({"gates": (), "required": ()}, ["no_gates"]),
        ({"gates": (), "blockers": ("limit_wall",)}, ["limit_wall"]),
        (
            {"gates": (GateRun(verdict=verdict("tests", status="not_run", reason="no_tests")),)},
            ["tests:no_tests"],
        ),
        ({"gates": (GateRun(verdict=verdict("tests")),)}, ["paths:not_judged"]),
    ],
)
def test_whatever_is_not_wholly_green_is_a_fail(changes: Any, blockers: list[str]) -> None:
    files = bundle_of(account(**changes))
    report = report_of(files)
    assert (report["status"], report["blockers"]) == ("fail", blockers)
    assert verify_bundle(found(files)) == []
    assert json.loads(files["statement.json"])["predicate"]["result"] == "FAILED"
    assert json.loads(files["vsa.json"])["predicate"]["verificationResult"] == "FAILED"


def test_changes_judged_together_are_about_the_tree_of_all_of_them() -> None:
    together = "e" * 40
    gates = (
        GateRun(verdict=verdict("paths", change=CHANGE)),
        GateRun(verdict=verdict("tests", tree=together)),
    )
    report = report_of(bundle_of(account(gates=gates, tree=together)))
    assert (report["tree"], report["commit_tree"]) == (together, TREE)


def test_the_log_holds_every_gate_in_order_under_its_name() -> None:
    log = bundle_of(account())["test.log"].decode()
    assert log == ("===== paths: pass (ok, reused) =====\n===== tests: pass (ok) =====\n3 passed\n")


def test_events_are_cloudevents_in_a_chain() -> None:
    files = bundle_of(account())
    lines = files["events.normalized.jsonl"].splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        # CloudEvents 1.0: required attributes, names of lower-case letters and digits
        assert {"specversion", "id", "source", "type"} <= event.keys()
        assert event["specversion"] == "1.0"
        assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in event)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
    assert [event["type"] for event in events] == ["execution.leased", "work.harvested"]
    assert [event["prev"] for event in events] == [GENESIS, digest(lines[0])]
    assert [event["ledgerline"] for event in events] == [digest(x.line) for x in ledger_lines()]


def test_the_trace_is_otlp_json() -> None:
    lines = bundle_of(account())["trace.jsonl"].splitlines()
    spans = []
    for line in lines:
        request = json.loads(line)
        assert request.keys() == {"resourceSpans"}
        (resource,) = request["resourceSpans"]
        (scope,) = resource["scopeSpans"]
        spans += scope["spans"]
    assert [span["name"] for span in spans] == [
        "task A",
        "invoke_agent developer",
        "gate paths",
        "gate tests",
    ]
    for span in spans:
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"])
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert isinstance(span["startTimeUnixNano"], str)
        assert span["kind"] in range(1, 6)
    assert {span["parentSpanId"] for span in spans[1:]} == {spans[0]["spanId"]}
    assert len({span["spanId"] for span in spans}) == 4
    about = {each["key"]: each["value"] for each in spans[1]["attributes"]}
    assert about["gen_ai.operation.name"] == {"stringValue": "invoke_agent"}
    assert about["gen_ai.provider.name"] == {"stringValue": "fake"}
    assert about["process.exit.code"] == {"intValue": "0"}


def test_tests_are_ctrf_and_its_counts_are_right() -> None:
    tests = [
        {"name": "a", "status": "passed", "duration": 1.4},
        {"name": "b", "status": "failed", "duration": 2, "flaky": True, "retries": 1},
    ]
    own = json.dumps({"results": {"tests": tests}}).encode()
    gates = (
        GateRun(verdict=verdict("lint", status="fail", reason="findings", failed=("E1",))),
        GateRun(verdict=verdict("tests"), artifacts={"ctrf-1.json": own}),
    )
    told = json.loads(bundle_of(account(gates=gates))["tests.ctrf.json"])
    assert told["reportFormat"] == "CTRF"
    results = told["results"]
    assert {"tool", "summary", "tests"} <= results.keys()
    names = [(test["suite"], test["name"], test["status"]) for test in results["tests"]]
    assert names == [
        ("gates", "lint", "failed"),
        ("lint", "E1", "failed"),
        ("tests", "a", "passed"),
        ("tests", "b", "failed"),
    ]
    summary = results["summary"]
    assert (
        summary["tests"]
        == 4
        == sum(summary[key] for key in ("passed", "failed", "skipped", "pending", "other"))
    )
    assert all(isinstance(test["duration"], int) for test in results["tests"])


@pytest.mark.parametrize("own", [b"", b"[]", b"{", b'{"results":{"tests":[{"status":"odd"}]}}'])
def test_a_list_of_tests_that_cannot_be_read_counts_for_one_test(own: bytes) -> None:
    gates = (GateRun(verdict=verdict("tests"), artifacts={"x.ctrf.json": own}),)
    told = json.loads(bundle_of(account(gates=gates))["tests.ctrf.json"])
    assert [test["name"] for test in told["results"]["tests"]] == ["tests"]


def test_statements_name_the_judged_tree_and_what_it_was_judged_by() -> None:
    files = bundle_of(account())
    statement = json.loads(files["statement.json"])
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert [each["digest"] for each in statement["subject"]] == [
        {"gitTree": TREE},
        {"gitCommit": WORK},
    ]
    predicate = statement["predicate"]
    assert predicate["result"] == "PASSED"
    assert predicate["passedTests"] == ["paths", "tests"]
    assert predicate["configuration"][0]["digest"] == {"sha256": POLICY}
    assert predicate["configuration"][1]["digest"] == {"sha256": DEFINITION}
    summary = json.loads(files["vsa.json"])["predicate"]
    assert {"verifier", "timeVerified", "resourceUri", "policy", "verificationResult"} <= (
        summary.keys()
    )
    attested = summary["inputAttestations"][0]["digest"]["sha256"]
    assert attested == digest(files["statement.json"])
    completion = json.loads(files["completion.json"])["predicate"]
    assert completion["nonce"] == NONCE
    named = {each["uri"]: each["digest"]["sha256"] for each in completion["files"]}
    assert named["report.json"] == digest(files["report.json"])


def test_an_attempt_without_work_is_about_its_base() -> None:
    bare = account(
        execution=execution(work="", tree="", started_ms=0, ended_ms=0, exit=""),
        gates=(),
        commit_tree="",
        tree="",
        events=ledger_lines()[:1],
        blockers=("not_started",),
    )
    files = bundle_of(bare)
    assert json.loads(files["statement.json"])["subject"][0]["name"] == "base"
    assert verify_bundle(found(files)) == []


def test_the_page_for_a_person_keeps_a_title_in_its_place() -> None:
    page = bundle_of(account())["report.md"].decode()
    assert page.startswith("# A: Do A \\| or Ä\n\n**pass**")
    assert "2023-11-14T22:13:21.000Z to 2023-11-14T22:13:22.000Z, exit code 0 (exited)" in page


@pytest.mark.parametrize("name", ["../x", "a//b", "", "a\nb"])
def test_a_gates_file_with_an_impossible_name_is_refused(name: str) -> None:
    gates = (GateRun(verdict=verdict("tests"), artifacts={name: b""}),)
    with pytest.raises(ValueError, match="cannot hold"):
        files_of(account(gates=gates))


def test_pae_is_that_of_the_dsse_specification() -> None:
    # github.com/secure-systems-lab/dsse, protocol.md and its test vector
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("ä", b"\x00") == b"DSSEv1 2 \xc3\xa4 1 \x00"


def test_an_envelope_comes_back_as_it_was_written() -> None:
    raw = envelope(b"{}\n", (Signature("SHA256:x", b"sig"),))
    content = json.loads(raw)
    assert content.keys() == {"payload", "payloadType", "signatures"}
    assert content["payloadType"] == PAYLOAD_TYPE
    assert base64.b64decode(content["payload"]) == b"{}\n"
    read = opened(raw)
    assert (read.payload, read.signatures) == (b"{}\n", (Signature("SHA256:x", b"sig"),))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # RFC 8785: section 3.2.2 (strings), 3.2.3 (order of keys, by UTF-16 code units)
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ('\u20ac$\u000f\nA\'B"\\\\"/', '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        (
            {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7},
            '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}',
        ),
        (9007199254740991, "9007199254740991"),
        ({}, "{}"),
    ],
)
def test_canonical_json_is_rfc_8785(value: object, text: str) -> None:
    assert canonical(value).decode() == text


@pytest.mark.parametrize("value", [1.5, 1 << 53, "\ud800", {1: 2}, {"a": b""}, float("nan")])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of several kinds
        canonical(value)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_canonical_json_comes_back_and_is_one_line(value: object) -> None:
    raw = canonical(value)
    assert json.loads(raw) == value
    assert b"\n" not in raw
    assert canonical(json.loads(raw)) == raw


def test_times_are_rfc_3339() -> None:
    assert time_text(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert time_text(0) == ""


def test_who_approved_is_in_the_events() -> None:
    asked = ApprovalRequested(execution="x1", epoch=1, change=CHANGE, needed=1, expires_ms=9)
    granted = ApprovalGranted(
        execution="x1", change=CHANGE, by="ada@box", reason="read it", decision=DECISION
    )
    ids = iter(("01kagj5r980000000000000008", "01kagj5r980000000000000009"))
    lines = seal(
        [asked, granted], prev=GENESIS, actor="ada@box", now_ms=3, new_id=lambda: next(ids)
    )
    more = tuple(LedgerLine(seq=n, line=line) for n, (_, line) in enumerate(lines, 3))
    files = bundle_of(account(events=ledger_lines() + more))
    assert verify_bundle(found(files)) == []
    told = [json.loads(line) for line in files["events.normalized.jsonl"].splitlines()]
    assert [event["type"] for event in told[2:]] == ["approval.requested", "approval.granted"]
    assert told[3]["data"]["by"] == "ada@box"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nonce": "01kagj5r9800000000000other"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"epoch": 2}, "report_epoch"),
        ({"attempt": 2}, "report_attempt"),
        ({"base": ONTO}, "report_base"),
        ({"task": "B"}, "report_task"),
        ({"work": ONTO}, "report_work"),
        ({"ended_ms": 1_800_000_000_000}, "stale_produced"),
    ],
)
def test_without_a_ledger_the_events_in_it_still_speak(changes: Any, code: str) -> None:
    made = account(execution=execution(**changes))
    if "task" in changes:
        made = replace(made, task=TaskSpec(id="B", title="Do B"))
    assert code in [one.code for one in verify_bundle(found(bundle_of(made)))]
