"""``trace.jsonl``: an attempt as OpenTelemetry spans, one OTLP/JSON export request a line.

Ids come from the attempt's id and the span's name, so the same attempt gives the same trace. A
gate's span ends when the evidence was made and is as long as the gate ran; when exactly it began
nobody records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitcto.evidence.canonical import canonical, digest

_INTERNAL, _CLIENT = 1, 3
_OK, _ERROR = 1, 2
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16

Attributes = Mapping[str, str | int]


def trace(report: Mapping[str, Any]) -> bytes:
    """Return the spans of a report: the attempt, its worker, each gate."""
    spans = [_attempt(report)]
    if report["started_ms"]:
        spans.append(_worker(report))
    spans += [_gate(report, gate) for gate in report["gates"]]
    return b"".join(canonical(_request(report, span)) + b"\n" for span in spans)


def _request(report: Mapping[str, Any], span: dict[str, Any]) -> dict[str, Any]:
    scope = {"name": "git-cto", "version": report["producer"]}
    resource = {"service.name": "git-cto", "service.namespace": report["team"]}
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeSpans": [{"scope": scope, "spans": [span]}],
            }
        ]
    }


def _attempt(report: Mapping[str, Any]) -> dict[str, Any]:
    about = {
        "git_cto.task": report["task"],
        "git_cto.execution": report["execution"],
        "git_cto.attempt": report["attempt"],
        "git_cto.tier": report["tier"],
        "git_cto.tree": report["tree"],
        "git_cto.blockers": ",".join(report["blockers"]),
    }
    times = (report["leased_ms"], report["produced_ms"])
    good = report["status"] == "pass"
    return _span(report, f"task {report['task']}", times, about, good=good, kind=_INTERNAL)


def _worker(report: Mapping[str, Any]) -> dict[str, Any]:
    code, cause = report["exit"]["code"], report["exit"]["cause"]
    about = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": report["provider"],
        "gen_ai.agent.name": report["role"],
        "gen_ai.agent.id": report["execution"],
        "gen_ai.conversation.id": report["execution"],
        "process.exit.code": code,
        "git_cto.exit": cause,
    }
    good = code == 0 and cause == "exited"
    if not good:
        about["error.type"] = cause if cause != "exited" else f"exit_{code}"
    times = (report["started_ms"], report["ended_ms"] or report["produced_ms"])
    return _span(report, f"invoke_agent {report['role']}", times, about, good=good, kind=_CLIENT)


def _gate(report: Mapping[str, Any], gate: Mapping[str, Any]) -> dict[str, Any]:
    about = {
        "git_cto.gate": gate["gate"],
        "git_cto.gate.status": gate["status"],
        "git_cto.gate.reason": gate["reason"],
        "git_cto.gate.reused": str(gate["reused"]).lower(),
        "git_cto.gate.executed": gate["executed"],
    }
    took = 0 if gate["reused"] else gate["duration_ms"]
    times = (report["produced_ms"] - took, report["produced_ms"])
    good = gate["status"] == "pass"
    return _span(report, f"gate {gate['gate']}", times, about, good=good, kind=_INTERNAL)


def _span(  # noqa: PLR0913  # what a span has
    report: Mapping[str, Any],
    name: str,
    times: tuple[int, int],
    about: Attributes,
    *,
    good: bool,
    kind: int,
) -> dict[str, Any]:
    began, ended = times
    top = f"task {report['task']}"
    span = {
        "traceId": digest(report["execution"].encode())[:_TRACE_DIGITS],
        "spanId": _span_id(report, name),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": _nanoseconds(began),
        "endTimeUnixNano": _nanoseconds(max(began, ended)),
        "attributes": _attributes(about),
        "status": {"code": _OK if good else _ERROR},
    }
    return span if name == top else {**span, "parentSpanId": _span_id(report, top)}


def _span_id(report: Mapping[str, Any], name: str) -> str:
    return digest(f"{report['execution']}\0{name}".encode())[:_SPAN_DIGITS]


def _nanoseconds(ms: int) -> str:
    return str(ms * 1_000_000)


def _attributes(about: Attributes) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"stringValue": value} if isinstance(value, str) else _whole(value)}
        for key, value in about.items()
    ]


def _whole(value: int) -> dict[str, str]:
    return {"intValue": str(value)}
