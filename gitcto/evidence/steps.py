"""The steps of an attempt, as a bundle and people are told of them."""

from __future__ import annotations

from typing import Any

from gitcto.model.step_records import Step


def step_outline(step: Step) -> dict[str, Any]:
    """Return a step with every field written out."""
    fault, usage = step.fault, step.usage
    plain = {name: getattr(step, name) for name in step.__struct_fields__}
    return {
        **plain,
        "reads": dict(step.reads),
        "told": list(step.told),
        "state": step.state.value,
        "fault": {name: getattr(fault, name) for name in fault.__struct_fields__}
        if fault
        else None,
        "usage": {name: getattr(usage, name) for name in usage.__struct_fields__},
    }
