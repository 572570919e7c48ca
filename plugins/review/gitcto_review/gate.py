"""Somebody else has looked at the change, and says so of this very change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gitcto.api import AnswerError, Finding, GateResult, emit_sarif, one_line, parse_answer
from gitcto_review.asking import Silent, ask_command
from gitcto_review.settings import read

if TYPE_CHECKING:
    from gitcto.api import Answer, GateContext, Remark

REPORT = "review.sarif"
"""The artifact with every finding of the reviewer."""

_LEVELS: dict[str, Literal["error", "warning", "note"]] = {
    "blocker": "error",
    "major": "warning",
    "minor": "note",
    "note": "note",
}


class ReviewGate:
    """Passes a change that its reviewer approves by its id, without a blocker."""

    def judge(self, context: GateContext) -> GateResult:
        """Ask the reviewer; whatever is not a whole answer about this change is ``not_run``."""
        argv = read(context.settings)
        if not argv:
            return GateResult(status="not_run", reason="no_reviewer", detail="argv is not set")
        said = ask_command(context, argv)
        if isinstance(said, Silent):
            return GateResult(
                status="not_run", reason=said.reason, detail=said.detail, log=said.output
            )
        try:
            answer = parse_answer(said.answer)
        except AnswerError as error:
            detail = one_line(f"this is no answer: {error}")
            return GateResult(status="not_run", reason="no_verdict", detail=detail, log=said.output)
        return _judged(context.change, answer, said.output)


def _judged(change: str, answer: Answer, output: bytes) -> GateResult:
    status, reason, detail = _verdict(change, answer)
    return GateResult(
        status=status,
        reason=reason,
        detail=one_line(detail),
        log=output,
        artifacts={REPORT: emit_sarif("gitcto-review", map(_finding, answer.remarks))},
    )


def _verdict(change: str, answer: Answer) -> tuple[Literal["pass", "fail", "not_run"], str, str]:
    if not change or answer.change != change:
        detail = f"the answer is about {answer.change[:64]!a}, and the change is {change!a}"
        return "not_run", "other_change", detail
    first = next(iter(answer.blockers), None)
    if answer.approved and first:
        return "fail", "contradictory", f"approved with a blocker: {_shown(first)}"
    if answer.approved:
        return "pass", "approved", answer.summary
    return "fail", "rejected", _shown(first) if first else answer.summary


def _shown(remark: Remark) -> str:
    line = f":{remark.line}" if remark.line else ""
    return f"{remark.path!a}{line} {remark.message}" if remark.path else remark.message


def _finding(remark: Remark) -> Finding:
    return Finding(
        rule=f"review/{remark.severity}",
        severity=_LEVELS[remark.severity],
        path=remark.path,
        line=remark.line,
        message=remark.message,
    )
