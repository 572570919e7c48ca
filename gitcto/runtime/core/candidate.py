"""What would land: the value that merging makes and that gates, evidence and landing are about."""

from __future__ import annotations

from dataclasses import dataclass

from gitcto.git.change import Change
from gitcto.model.records import Execution, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The merged ``tree`` of an execution's work and the target's tip ``onto``.

    ``changes`` is what landing it would change at the target, ``change`` the id of that.
    """

    task: Task
    execution: Execution
    onto: str
    tree: str
    changes: tuple[Change, ...]
    change: str
