"""Rooms of ended attempts that are still there: what could not be taken up, or not be removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitcto.errors import CtoError

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.cli.app import App
    from gitcto.store.reader import LedgerReader


class KeptRoom(NamedTuple):
    """A room and whose it was; ``task`` is empty when the ledger knows no such attempt."""

    execution: str
    task: str
    attempt: int
    path: Path


def kept_rooms(app: App, reader: LedgerReader) -> list[KeptRoom]:
    """Return the rooms of a team's ended attempts, in the order in which these began.

    Costs one look into one directory when there are none.
    """
    from gitcto.cli.requests import rooms_root
    from gitcto.model.records import LIVE_STATES
    from gitcto.runtime.host.layout import ROOT_RECORD, Layout, execution_of

    if not (app.repository.cto_dir / ROOT_RECORD).exists():  # to ask for it would write it
        return []
    try:
        layout = Layout(app.repository, reader.team, rooms_root(app.host, app.repository))
    except CtoError as error:
        app.output.warn(error.message)
        return []
    if not layout.rooms.is_dir():
        return []
    view, found = reader.view(), []
    asked = view.team.asked if view.team else {}
    for name in sorted(path.name for path in layout.rooms.iterdir()):
        room = layout.room(name)
        execution = view.execution(execution_of(name))
        live = execution is not None and execution.state in LIVE_STATES
        live = live or execution_of(name) in asked
        if not live and room.is_dir():
            task, attempt = (execution.task, execution.attempt) if execution else ("", 0)
            found.append(KeptRoom(name, task, attempt, room))
    return found
