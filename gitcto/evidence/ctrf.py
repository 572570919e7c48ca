"""``tests.ctrf.json``: what gates and their tests said, in the Common Test Report Format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitcto.evidence.canonical import canonical

_STATUS = {"pass": "passed", "fail": "failed", "not_run": "other"}
_COUNTED = ("passed", "failed", "skipped", "pending", "other")
_OWN = re.compile(r"(?:/|\.)ctrf[^/]*\.json$")
"""A gate's own list of tests: ``ctrf.json``, ``ctrf-1.json``, ``x.ctrf.json``."""


def ctrf(report: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Return every test of every gate; a gate that left no CTRF of its own is one test."""
    tests = [test for gate in report["gates"] for test in _tests(gate, files)]
    counts = {status: sum(test["status"] == status for test in tests) for status in _COUNTED}
    produced = report["produced_ms"]
    summary = {
        "tests": len(tests),
        **counts,
        "start": produced - sum(gate["duration_ms"] for gate in report["gates"]),
        "stop": produced,
    }
    results = {"tool": {"name": "git-cto"}, "summary": summary, "tests": tests}
    content = {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": f"git-cto {report['producer']}",
        "results": results,
    }
    return canonical(content) + b"\n"


def _tests(gate: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    name = gate["gate"]
    own = [path for path in gate["artifacts"] if _OWN.search(path)]
    listed = [test for path in own for test in _listed(files[path], name)]
    if listed:
        yield from listed
        return
    yield {
        "name": name,
        "status": _STATUS[gate["status"]],
        "rawStatus": f"{gate['status']}:{gate['reason']}",
        "duration": gate["duration_ms"],
        "suite": "gates",
    }
    for test in gate["failed"]:
        yield {"name": test, "status": "failed", "duration": 0, "suite": name}


def _listed(raw: bytes, gate: str) -> Iterator[dict[str, Any]]:
    """Yield the tests that a gate's own report lists; nothing when it cannot be read."""
    try:
        tests = json.loads(raw)["results"]["tests"]
        for test in tests:
            if test["status"] not in _COUNTED:
                return
        for test in tests:
            retries = test.get("retries")
            yield {
                "name": str(test["name"]),
                "status": test["status"],
                "duration": round(test.get("duration", 0)),
                "suite": gate,
                **({"retries": int(retries)} if retries else {}),
                **({"flaky": True} if test.get("flaky") is True else {}),
            }
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return
