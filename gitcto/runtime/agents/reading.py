"""What a step that only reads finds, and whether it left alone what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.git.durable import replace_file, storage_errors
from gitcto.git.harvest import HarvestRefused, harvest
from gitcto.git.trees import patch
from gitcto.runtime.core.answers import schema_of
from gitcto.runtime.core.seats import Turn, last_in, seated
from gitcto.runtime.workspace.lfs import LfsCleaner
from gitcto.runtime.workspace.rooms import cone_of_room
from gitcto.runtime.workspace.taking_up import limits_of, take_up

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.runtime.host.context import Context

_SHOWN = 3
_LONGEST = 64 << 10
"""Most bytes of a patch that stand in a prompt."""


def lay_out(context: Context, turn: Turn) -> Path | None:
    """Put the patches that a step reads into its scratch directory; return its answer's schema.

    None for a step that may answer as it likes. Raises ``CtoError``.
    """
    scratch = context.layout.scratch(turn.seated.id)
    for seat, commit in turn.step.reads.items():
        path = scratch / f"{seat}.patch"
        with storage_errors(f"write {path}"):
            replace_file(path, patch(context.git, turn.execution.base, commit))
    schema = schema_of(turn.step.asks, turn.step.reads)
    if not schema:
        return None
    path = scratch / "answer.schema.json"
    with storage_errors(f"write {path}"):
        replace_file(path, schema)
    return path


def altered_by(context: Context, turn: Turn) -> str:
    """Name what is not any more as a step found it that was to read only; nothing when all is.

    That is its own checkout, and the rooms whose changes it read.
    """
    try:
        place = turn.seated
        taken = harvest(
            context.repository,
            context.layout.room(place.id),
            place.base,
            context.layout.place(place.id),
            cone=cone_of_room(context, place),
            clean=LfsCleaner(context, place, limits_of(context.policy)),
        )
        changed = [change.path for change in taken.changes]
        for seat, commit in turn.step.reads.items():
            writer = last_in(turn.execution, seat)
            if take_up(context, turn.task, seated(turn.execution, writer)).commit != commit:
                changed.append(f"the room of seat {seat}")
    except HarvestRefused as refused:
        return refused.message
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return ", ".join(changed[:_SHOWN]) + more


def patches(context: Context, turn: Turn) -> dict[str, str]:
    """Return the patches that a step reads, by seat; instead of a long one, where it lies."""
    scratch, base = context.layout.scratch(turn.seated.id), turn.execution.base
    found = {}
    for seat, commit in turn.step.reads.items():
        text = patch(context.git, base, commit)
        where = f"It is long: read it in {scratch / f'{seat}.patch'}"
        found[seat] = text.decode("utf-8", "replace") if len(text) <= _LONGEST else where
    return found
