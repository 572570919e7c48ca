"""Workers' rooms: files checked out by us, made a repository by a plugin, removed by us.

What goes is renamed first, in one step, so that nothing half removed stands under its old name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError
from gitcto.git.durable import replace_file, storage_errors
from gitcto.git.harvest import HarvestRefused
from gitcto.git.sparse import Cone, checkout_cone, cone_of
from gitcto.git.trees import checkout
from gitcto.room_contracts import RoomNeeds, RoomRequest
from gitcto.runtime.host.ask import ask
from gitcto.runtime.worker import workers
from gitcto.runtime.workspace import ports
from gitcto.runtime.workspace.pool import Pool
from gitcto.runtime.workspace.trash import throw

if TYPE_CHECKING:
    from gitcto.descriptors import Workspace
    from gitcto.model.records import Execution, Task
    from gitcto.registry import Registered
    from gitcto.runtime.host.context import Context
    from gitcto.runtime.host.layout import Layout

ROOM_DEADLINE_S = 600.0
"""How long a workspace plugin may take (seconds)."""

TRUSTED = frozenset({"none", "landlock", "seatbelt", "strict"})
"""Levels whose workers cannot change what is beside their rooms, or are trusted not to."""


def make_room(context: Context, task: Task, execution: Execution) -> None:
    """Make the room of an execution. Raises ``CtoError``."""
    registered = workspace_of(context, execution)
    layout = context.layout
    room, index = layout.room(execution.id), layout.index(execution.id)
    with storage_errors(f"make the room {room}"):
        # Nobody else on this machine may start what a worker makes: it would run as its user.
        room.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        index.unlink(missing_ok=True)
    cone = _cone_for(context, task, execution)
    if cone is not None:
        checkout_cone(context.git, execution.base, room, index, cone)
    elif not pool_of(context).take(execution.base, room, index, layout.warm(execution.id)):
        checkout(context.git, execution.base, room, index)
    context.effects.crash_point("room.files")
    request = RoomRequest(
        repository=context.repository,
        git=context.git,
        path=room,
        base=execution.base,
        branch=f"cto/{layout.team}/{task.spec.id}",
        index=index,
        sparse=cone.patterns() if cone else "",
    )
    answer = ask(context.plugins, registered, "create", request, deadline_s=ROOM_DEADLINE_S)
    if answer is not None:
        throw(layout.trash, room)
        raise answer.error()


def cone_of_room(context: Context, execution: Execution) -> Cone | None:
    """Return which part of its base's files a room was made with; None for all of them.

    Raises ``HarvestRefused`` when that was written down and cannot be read.
    """
    return recorded_cone(context.layout, execution.id)


def recorded_cone(layout: Layout, execution: str) -> Cone | None:
    """Return what :func:`cone_of_room` does, where no run is under way."""
    record = layout.cone(execution)
    try:
        return Cone(tuple(map(str, json.loads(record.read_bytes())["folders"])))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "which part of the files it was made with is unknown"
        raise HarvestRefused("unreadable", what, str(record)) from error


def pool_of(context: Context) -> Pool:
    """Return the warm trees of the repository."""
    return Pool(
        root=context.layout.pool,
        trash=context.layout.trash,
        git=context.git,
        capacity=context.policy.rooms.pool,
    )


def needs_of(context: Context, execution: Execution) -> RoomNeeds:
    """Return what of the repository the room's worker must see. Raises ``CtoError``."""
    answer: RoomNeeds | Crashed | TimedOut = ask(
        context.plugins,
        workspace_of(context, execution),
        "needs",
        context.repository,
        context.layout.room(execution.id),
        deadline_s=ROOM_DEADLINE_S,
    )
    if isinstance(answer, Crashed | TimedOut):
        raise answer.error()
    return answer


def release_room(context: Context, execution: Execution) -> str:
    """Take the room's files and repository away; return the problem or nothing.

    The files go first, in one step: a room whose ``.git`` is half removed would look like one in
    which its worker had left more than we keep.
    """
    layout = context.layout
    registered = context.plugins.workspaces().get(execution.workspace)
    try:
        kept = _set_aside(context, execution)
        throw(layout.trash, layout.room(execution.id))
        context.effects.crash_point("room.aside")
        if registered is not None:
            answer = ask(
                context.plugins,
                registered,
                "release",
                context.repository,
                context.git,
                layout.room(execution.id),
                deadline_s=ROOM_DEADLINE_S,
            )
            if answer is not None:
                return f"{answer.what}: {answer.reason}"
        context.effects.crash_point("room.removed")
        if kept:
            pool_of(context).put(execution.base, layout.warm(execution.id))
            context.effects.crash_point("room.kept")
        ports.release(layout.ports, layout.place(execution.id))
        throw(layout.trash, layout.place(execution.id))
    except CtoError as error:
        return error.message
    return ""


def clear_room(context: Context, execution: Execution) -> None:
    """Remove a room in which nobody has worked yet. Raises ``CtoError``."""
    problem = release_room(context, execution)
    if problem:
        raise CtoError(problem, "`git cto clean` says what is in the way")


def workspace_of(context: Context, execution: Execution) -> Registered[Workspace]:
    """Return the workspace plugin that an execution was leased for; ``CtoError`` for none."""
    registered = context.plugins.workspaces().get(execution.workspace)
    if registered is None:
        raise CtoError(
            f"no plugin provides the workspace {execution.workspace!r}",
            "name an installed one in policy.toml; `git cto plugins` lists them",
        )
    return registered


def _cone_for(context: Context, task: Task, execution: Execution) -> Cone | None:
    """Choose the part of the files that a room gets, and write it down before the first is there.

    Without that a harvest would take all the others for deleted.
    """
    if not context.policy.rooms.sparse:
        return None
    cone = cone_of(context.git, execution.base, task.spec.paths)
    if cone is not None:
        text = json.dumps({"folders": cone.folders})
        with storage_errors(f"make the room of {execution.id}"):
            replace_file(context.layout.cone(execution.id), text.encode())
    return cone


def _set_aside(context: Context, execution: Execution) -> bool:
    """Set a room aside for the pool unless anything about it is doubtful."""
    layout = context.layout
    ended = workers.observe(layout.records(execution.id)).exit
    doubtful = (
        len(execution.steps) > 1
        or ended is None
        or ended.cause != "exited"
        or ended.survivors
        or execution.isolation not in TRUSTED
        or execution.outside
        or layout.cone(execution.id).exists()
    )
    if doubtful:
        return False
    try:
        return pool_of(context).set_aside(
            layout.room(execution.id), layout.index(execution.id), layout.warm(execution.id)
        )
    except OSError:
        return False
