"""Workers' rooms: files checked out by us, made a repository by a plugin, removed by us."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError
from gitcto.git.durable import discard
from gitcto.git.trees import checkout
from gitcto.room_contracts import RoomNeeds, RoomRequest
from gitcto.runtime.ask import ask

if TYPE_CHECKING:
    from gitcto.descriptors import Workspace
    from gitcto.model.records import Execution, Task
    from gitcto.registry import Registered
    from gitcto.runtime.context import Context

ROOM_DEADLINE_S = 600.0
"""How long a workspace plugin may take (seconds)."""


def make_room(context: Context, task: Task, execution: Execution) -> None:
    """Make the room of an execution. Raises ``CtoError``."""
    registered = workspace_of(context, execution)
    room, index = context.layout.room(execution.id), context.layout.index(execution.id)
    room.parent.mkdir(parents=True, exist_ok=True)
    index.unlink(missing_ok=True)
    checkout(context.git, execution.base, room, index)
    request = RoomRequest(
        repository=context.repository,
        git=context.git,
        path=room,
        base=execution.base,
        branch=f"cto/{context.layout.team}/{task.spec.id}",
        index=index,
    )
    answer = ask(context.plugins, registered, "create", request, deadline_s=ROOM_DEADLINE_S)
    if answer is not None:
        discard(room)
        raise answer.error()


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
    registered = context.plugins.workspaces().get(execution.workspace)
    room = context.layout.room(execution.id)
    problem = _discarded(room)
    if problem:
        return problem
    if registered is not None:
        answer = ask(
            context.plugins,
            registered,
            "release",
            context.repository,
            context.git,
            room,
            deadline_s=ROOM_DEADLINE_S,
        )
        if answer is not None:
            return f"{answer.what}: {answer.reason}"
    context.effects.crash_point("room.removed")
    return _discarded(context.layout.place(execution.id))


def workspace_of(context: Context, execution: Execution) -> Registered[Workspace]:
    """Return the workspace plugin that an execution was leased for; ``CtoError`` for none."""
    registered = context.plugins.workspaces().get(execution.workspace)
    if registered is None:
        raise CtoError(
            f"no plugin provides the workspace {execution.workspace!r}",
            "name an installed one in policy.toml; `git cto plugins` lists them",
        )
    return registered


def _discarded(path: Path) -> str:
    try:
        discard(path)
    except CtoError as error:
        return error.message
    return ""
