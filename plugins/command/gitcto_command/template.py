"""What the placeholders of a worker's command stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import fill_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import LaunchRequest

_OURS = frozenset({"workspace", "prompt_file", "scratch", "execution", "attempt", "task.id"})
"""Placeholders whose values git-cto makes itself; the others come from a plan."""


def values(request: LaunchRequest) -> dict[str, str]:
    """Return what each placeholder stands for in one attempt."""
    task = request.task
    known = {
        "workspace": str(request.workspace),
        "prompt_file": str(request.prompt_file),
        "scratch": str(request.scratch),
        "task.id": task.id,
        "task.title": task.title,
        "attempt": str(request.attempt),
        "execution": request.execution,
    }
    known.update({f"input.{name}": value for name, value in task.inputs.items()})
    return known


def fill(template: str, known: Mapping[str, str]) -> str:
    """Return ``template`` with its placeholders filled; raises ``CtoError`` (exit 4)."""
    foreign = known.keys() - _OURS
    return fill_template(template, known, who="provider command", foreign=foreign)
