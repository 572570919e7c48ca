"""The steps of an attempt, as a bundle and people are told of them."""

from __future__ import annotations

from typing import Any

from gitcto.model.agent_records import Fault, Usage
from gitcto.model.records import Execution
from gitcto.model.step_records import Step


def steps_outline(execution: Execution) -> dict[str, Any]:
    """Return what is said of an attempt's steps."""
    return {
        "strategy": execution.strategy,
        "strategy_file": execution.strategy_file,
        "steps": [step_outline(step) for step in execution.steps],
    }


def step_outline(step: Step) -> dict[str, Any]:
    """Return a step with every field written out."""
    fault, usage = step.fault, step.usage
    plain = {name: getattr(step, name) for name in step.__struct_fields__}
    return {
        **plain,
        "reads": dict(step.reads),
        "told": list(step.told),
        "state": step.state.value,
        "fault": _plain(fault) if fault else None,
        "usage": _plain(usage),
    }


def _plain(record: Fault | Usage) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}
