"""What a report claims, as in-toto statements that other tools read.

Published predicates say what they can (the results of tests, the summary of a verification); the
one of our own says only what they lack: which task, attempt, nonce and files it all was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitcto.evidence.canonical import canonical, time_text
from gitcto.evidence.manifest import describe
from gitcto.evidence.report import REPORT

STATEMENT = "statement.json"
SUMMARY = "vsa.json"
COMPLETION = "completion.json"
NAMES = (STATEMENT, SUMMARY, COMPLETION)

IN_TOTO = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VSA = "https://slsa.dev/verification_summary/v1"
TASK_COMPLETION = "urn:git-cto:task-completion/v1"

_RESULT = {"pass": "PASSED", "fail": "FAILED"}


def envelope_of(name: str) -> str:
    """Return where the envelope of a statement lies."""
    return f"{name.removesuffix('.json')}.dsse.json"


def statements(report: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return every statement by file name; ``files`` hold the report, for a person too."""
    made = {STATEMENT: _line(report, TEST_RESULT, _test_result(report))}
    made[SUMMARY] = _line(report, VSA, _summary(report, made[STATEMENT]))
    named = {**made, **{name: files[name] for name in (REPORT, "report.md")}}
    made[COMPLETION] = _line(report, TASK_COMPLETION, _completion(report, named))
    return made


def _line(report: Mapping[str, Any], kind: str, predicate: dict[str, Any]) -> bytes:
    statement = {
        "_type": IN_TOTO,
        "subject": subjects(report),
        "predicateType": kind,
        "predicate": predicate,
    }
    return canonical(statement) + b"\n"


def subjects(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a report is about: the judged tree and the work; with neither, the base."""
    found = []
    if report["tree"]:
        found.append({"name": "tree", "digest": {"gitTree": report["tree"]}})
    if report["work"]:
        found.append({"name": "work", "digest": {"gitCommit": report["work"]}})
    return found or [{"name": "base", "digest": {"gitCommit": report["base"]}}]


def _test_result(report: Mapping[str, Any]) -> dict[str, Any]:
    gates = report["gates"]
    policy = {"name": "policy.toml", "digest": {"sha256": report["policy"]}}
    failed = [gate["gate"] for gate in gates if gate["status"] != "pass"]
    return {
        "result": _RESULT[report["status"]],
        "configuration": [
            policy,
            *({"name": gate["gate"], "digest": {"sha256": gate["definition"]}} for gate in gates),
        ],
        "passedTests": [gate["gate"] for gate in gates if gate["status"] == "pass"],
        "warnedTests": [],
        "failedTests": [
            *failed,
            *(f"{gate['gate']}/{test}" for gate in gates for test in gate["failed"]),
        ],
    }


def _summary(report: Mapping[str, Any], statement: bytes) -> dict[str, Any]:
    passed = report["status"] == "pass"
    return {
        "verifier": {"id": "urn:git-cto", "version": {"git-cto": report["producer"]}},
        "timeVerified": time_text(report["produced_ms"]),
        "resourceUri": f"urn:git-cto:{report['team']}/{report['task']}",
        "policy": {"uri": "policy.toml", "digest": {"sha256": report["policy"]}},
        "inputAttestations": [_reference(STATEMENT, statement)],
        "verificationResult": _RESULT[report["status"]],
        "verifiedLevels": [f"GIT_CTO_TIER_{report['tier']}"] if passed else [],
        "slsaVersion": "1.0",
    }


def _completion(report: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    keys = ("team", "task", "tier", "execution", "attempt", "epoch", "nonce")
    more = ("base", "onto", "commit_tree", "change", "policy", "status", "blockers")
    return {
        **{key: report[key] for key in (*keys, *more)},
        "files": [_reference(name, data) for name, data in sorted(files.items())],
    }


def _reference(name: str, data: bytes) -> dict[str, Any]:
    return {"uri": name, "digest": {"sha256": describe(name, data)["sha256"]}}
