"""The steps of attempts in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gitcto.cli import wording
from gitcto.model.step_records import SINGLE_WORKER

if TYPE_CHECKING:
    from gitcto.model.records import Execution
    from gitcto.model.step_records import Step

_MICROS = 1_000_000
_SHOWN = 8
"""Most lines of what a judge said; the rest is in `git cto show TASK --json`."""


def step_lines(x: Execution, now_ms: int) -> Iterator[str]:
    """Yield what there is to say of each step of an attempt, and what a judge objected to.

    Of an only one without a strategy, that is what it used, if that is known.
    """
    if x.strategy in {"", SINGLE_WORKER} and len(x.steps) == 1:
        used = used_by(x.steps[0])
        if used:
            yield f"attempt {x.attempt} used {used}"
        return
    if x.steps:
        yield f"attempt {x.attempt} took the way of {x.strategy}"
    for step in x.steps:
        parts = (came_of(step), wording.age(step.started_ms, step.ended_ms or now_ms))
        told = ", ".join(filter(None, (*parts, used_by(step))))
        why = f" ({step.why})" if step.why not in {"", "first"} else ""
        yield f"  step {step.number} {step.name} by {step.provider or 'nobody'}{why}: {told}"
        yield from _objections(step)


def _objections(step: Step) -> Iterator[str]:
    if step.verdict not in {"reject", "none"}:
        return
    said = step.findings.splitlines()
    yield from (f"    {line}" for line in said[:_SHOWN])
    if len(said) > _SHOWN:
        yield f"    and {len(said) - _SHOWN} more lines (`--json` has them)"


def came_of(step: Step) -> str:
    """Return in a few words what came of a step."""
    if step.runs:
        return "running"
    if step.fault is not None:
        detail = f": {step.fault.detail}" if step.fault.detail else ""
        return f"{step.fault.kind}{detail}"
    if step.chosen:
        return f"chose {step.chosen}, change {step.change[:12]}"
    if step.verdict:
        said = {"approve": "approved", "reject": "rejected"}.get(step.verdict, "no verdict on")
        return f"{said} change {step.change[:12]}" if step.change else "no verdict"
    return f"{step.changed} changed" if step.edits else "read"


def used_by(step: Step) -> str:
    """Return what a step used, or nothing when its provider did not say."""
    usage = step.usage
    if not usage.tokens and usage.cost_micros is None:
        return ""
    cost = f", {usage.cost_micros / _MICROS:.4f} USD" if usage.cost_micros is not None else ""
    return f"{usage.tokens} tokens{cost}"
