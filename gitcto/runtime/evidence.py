"""The evidence of one judgement: what was run, what came of it, and the bytes to prove it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitcto.errors import CtoError
from gitcto.git.trees import patch
from gitcto.model.codec import canonical
from gitcto.runtime.candidate import Candidate
from gitcto.runtime.context import Context
from gitcto.runtime.gates import Judged
from gitcto.store.bundle import write

_RAW_LIMIT = 8 << 20


def write_bundle(context: Context, candidate: Candidate, judged: list[Judged]) -> str:
    """Write the evidence of a judgement as one git tree and return its id."""
    report = _report(candidate, judged)
    files = {
        "report.json": canonical(report) + b"\n",
        "report.md": _markdown(candidate, judged).encode(),
        "patch.diff": patch(context.git, candidate.onto, candidate.tree),
    }
    for one in judged:
        if one.log:
            files[f"gates/{one.verdict.gate}.log"] = one.log
    records = context.layout.records(candidate.execution.id)
    for stream in ("stdout", "stderr"):
        files[f"raw/{stream}.log"] = _raw(records / f"{stream}.log")
    return write(context.objects, files)


def bundle_or_why(
    context: Context, candidate: Candidate, judged: Sequence[Judged]
) -> tuple[str, str]:
    """Write the evidence of a judgement; return its tree's id, or nothing and why there is none."""
    try:
        return write_bundle(context, candidate, list(judged)), ""
    except CtoError as error:
        return "", f"{error.message}; {error.hint}"


def _report(candidate: Candidate, judged: list[Judged]) -> dict[str, object]:
    execution, task = candidate.execution, candidate.task.spec
    verdicts = [one.verdict for one in judged]
    red = [v for v in verdicts if v.status != "pass"]
    return {
        "version": 1,
        "task": task.id,
        "title": task.title,
        "tier": task.tier,
        "execution": execution.id,
        "attempt": execution.attempt,
        "epoch": execution.epoch,
        "provider": execution.provider,
        "role": execution.role,
        "base": execution.base,
        "onto": candidate.onto,
        "work": execution.work,
        "tree": candidate.tree,
        "started_ms": execution.started_ms,
        "ended_ms": execution.ended_ms,
        "exit": {"code": execution.code, "cause": execution.exit},
        "status": "pass" if verdicts and not red else "fail",
        "blockers": [f"{v.gate}:{v.reason}" for v in red],
        "changes": [{"status": c.status, "path": _shown(c.path)} for c in candidate.changes],
        "verdicts": [{"verdict": one.verdict, "reused": one.reused} for one in judged],
    }


def _shown(path: str) -> str:
    """Return a path that JSON can hold; bytes that are not UTF-8 become replacement characters."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _markdown(candidate: Candidate, judged: list[Judged]) -> str:
    task, execution = candidate.task.spec, candidate.execution
    lines = [
        f"# {task.id}: {task.title}",
        "",
        f"Attempt {execution.attempt} by {execution.provider} ({execution.role}).",
        f"Tree `{candidate.tree}` on `{candidate.onto}`.",
        "",
        "| gate | verdict | reason | detail |",
        "| --- | --- | --- | --- |",
    ]
    for one in judged:
        v = one.verdict
        detail = v.detail.replace("|", "\\|") + (" (reused)" if one.reused else "")
        lines.append(f"| {v.gate} | {v.status} | {v.reason} | {detail} |")
    lines += ["", "Changed:", ""]
    lines += [f"- `{change.status}` {_shown(change.path)}" for change in candidate.changes]
    return "\n".join([*lines, ""])


def _raw(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_RAW_LIMIT)
    except FileNotFoundError:
        return b""
