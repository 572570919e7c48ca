"""What was different outside a room, as a value, and the command that records it."""

from __future__ import annotations

from dataclasses import dataclass

from gitcto.model.commands import RecordOutside
from gitcto.model.isolation import confines
from gitcto.model.records import Execution
from gitcto.policy.records import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What was different, one line each, the gravest first; ``guarded`` if one of it is grave."""

    changes: tuple[str, ...] = ()
    guarded: bool = False


def record_of(policy: Policy, execution: Execution, outside: Outside) -> RecordOutside | None:
    """Return the command that records what was different, or None when nothing was.

    It blocks when it is grave, when the worker was free to do it, or when policy says so.
    """
    if not outside.changes:
        return None
    free = not confines(execution.isolation)
    refuses = policy.sandbox.outside == "refuse"
    return RecordOutside(
        execution=execution.id,
        changes=outside.changes,
        blocking=outside.guarded or free or refuses,
    )
