"""``report.json``: what was run, when, what came of it; and the same for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitcto.evidence.account import Account, GateRun
from gitcto.evidence.canonical import time_text
from gitcto.evidence.steps import steps_outline

REPORT = "report.json"
VERSION = 1


def outline(account: Account) -> dict[str, Any]:
    """Return the report, without the list of files, which needs their bytes."""
    execution, task = account.execution, account.task
    blockers = [*_red(account.gates), *_missing(account), *account.blockers]
    return {
        "v": VERSION,
        "producer": account.producer,
        "team": account.team,
        "task": task.id,
        "title": shown(task.title),
        "tier": task.tier,
        "execution": execution.id,
        "attempt": execution.attempt,
        "epoch": execution.epoch,
        "nonce": execution.nonce,
        "provider": execution.provider,
        "role": execution.role,
        "isolation": {"level": execution.isolation, "sandbox": execution.sandbox},
        **steps_outline(execution),
        "base": execution.base,
        "onto": account.onto,
        "work": execution.work,
        "commit_tree": account.commit_tree,
        "tree": account.tree,
        "change": account.change,
        "changes": [{"status": status, "path": shown(path)} for status, path in account.changes],
        "policy": account.policy,
        "required": list(account.required),
        "gates": [_gate(one) for one in account.gates],
        **{name: getattr(execution, name) for name in ("leased_ms", "started_ms", "ended_ms")},
        "produced_ms": account.produced_ms,
        "exit": {"code": execution.code, "cause": execution.exit},
        "status": "fail" if blockers else "pass",
        "blockers": blockers,
        "detail": shown(account.detail),
        "raw_cut": sorted(name for name, raw in account.raw.items() if raw.cut),
        "events": _span(account),
        "signed": account.signed,
    }


def _span(account: Account) -> dict[str, int]:
    seqs = [one.seq for one in account.events] or [0]
    return {"first": seqs[0], "last": seqs[-1], "count": len(account.events)}


def _red(gates: tuple[GateRun, ...]) -> list[str]:
    verdicts = [one.verdict for one in gates]
    return [f"{v.gate}:{v.reason}" for v in verdicts if v.status != "pass"]


def _missing(account: Account) -> list[str]:
    """Name the gates that have not judged, unless something else explains that."""
    judged = {one.verdict.gate for one in account.gates}
    if account.blockers or _red(account.gates):
        return []
    if not account.required:
        return ["no_gates"]
    return [f"{gate}:not_judged" for gate in account.required if gate not in judged]


def _gate(one: GateRun) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "gate": verdict.gate,
        "status": verdict.status,
        "reason": verdict.reason,
        "detail": shown(verdict.detail),
        "definition": verdict.definition,
        "key": verdict.key,
        "tree": verdict.tree,
        "change": verdict.change,
        "executed": verdict.executed,
        "failed": [shown(name) for name in verdict.failed],
        "duration_ms": verdict.duration_ms,
        "reused": one.reused,
        "log": gate_log(verdict.gate) if one.log else "",
        "artifacts": sorted(gate_file(verdict.gate, name) for name in one.artifacts),
    }


def gate_log(gate: str) -> str:
    """Return where a bundle keeps what a gate printed."""
    return f"gates/{gate}.log"


def gate_file(gate: str, name: str) -> str:
    """Return where a bundle keeps a file that a gate left."""
    return f"gates/{gate}/{name}"


def shown(text: str) -> str:
    """Return text that JSON can hold; bytes that are not UTF-8 become replacement characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def markdown(report: Mapping[str, Any]) -> bytes:
    """Return a report for a person."""
    lines = [
        f"# {_cell(report['task'])}: {_cell(report['title'])}",
        "",
        _who(report),
        "",
        _when(report),
        f"Tree `{report['tree'] or 'none'}` on `{report['onto']}`.",
        "",
    ]
    lines += [f"- blocked by `{_cell(blocker)}`" for blocker in report["blockers"]]
    lines += [_cell(report["detail"])] if report["detail"] else []
    lines += ["", "| gate | verdict | reason | detail |", "| --- | --- | --- | --- |"]
    for gate in report["gates"]:
        detail = _cell(gate["detail"]) + (" (reused)" if gate["reused"] else "")
        lines.append(f"| {gate['gate']} | {gate['status']} | {_cell(gate['reason'])} | {detail} |")
    lines += ["", "Changed:", ""]
    lines += [f"- `{change['status']}` {_cell(change['path'])}" for change in report["changes"]]
    return "\n".join([*lines, ""]).encode()


def _who(report: Mapping[str, Any]) -> str:
    who = f"{_cell(report['provider'])} ({_cell(report['role'])})"
    return f"**{report['status']}**, attempt {report['attempt']} by {who}, tier {report['tier']}."


def _when(report: Mapping[str, Any]) -> str:
    began = time_text(report["started_ms"]) or "not started"
    ended = time_text(report["ended_ms"]) or "no end recorded"
    code, cause = report["exit"]["code"], report["exit"]["cause"] or "none"
    return f"Worker: {began} to {ended}, exit code {code} ({cause})."


def _cell(text: str) -> str:
    """Return text on one line, with nothing in it that would end a cell."""
    return " ".join(text.split()).replace("|", "\\|")
