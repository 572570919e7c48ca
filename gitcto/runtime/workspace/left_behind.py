"""What stands in a room and was not taken up: while it is there, the room stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.git.durable import replace_file, storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitcto.model.records import Execution
    from gitcto.runtime.host.layout import Layout

_SHOWN = 3


def note_left(layout: Layout, execution: Execution, names: Iterable[str]) -> None:
    """Remember durably what of a room was not taken up, by names relative to it.

    Nothing is written when there is nothing new. Raises ``CtoError``.
    """
    known = _noted(layout, execution)
    found = {*known, *names}
    if found != known:
        path = layout.left_behind(execution.id)
        with storage_errors(f"write {path}"):
            replace_file(path, json.dumps(sorted(found)).encode())


def left_in_room(layout: Layout, execution: Execution) -> list[str]:
    """Return the names that were noted and are still there."""
    room = layout.room(execution.id)
    found = ((name, room / name) for name in sorted(_noted(layout, execution)))
    return [name for name, path in found if path.exists() or path.is_symlink()]


def why_kept(layout: Layout, execution: Execution) -> str:
    """Return why a room has to stay, and what to do about it; nothing when it has not."""
    names = left_in_room(layout, execution)
    if not names:
        return ""
    shown = ", ".join(ascii(name) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    room = layout.room(execution.id)
    return f"{room} holds what was not taken up: {shown}{more}; delete that there when you have it"


def _noted(layout: Layout, execution: Execution) -> set[str]:
    try:
        return set(json.loads(layout.left_behind(execution.id).read_bytes()))
    except (OSError, ValueError):
        return set()
