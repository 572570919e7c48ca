"""Who else made a worker's change: the authors of the commits that it made in its room.

They are the worker's word, which nothing proves; what it says of nobody else is left out.
"""

from __future__ import annotations

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError
from gitcto.git.authors import authors_since
from gitcto.git.tips import take_tips
from gitcto.model.records import Execution
from gitcto.room_contracts import RoomTips
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.workspace.rooms import ROOM_DEADLINE_S

MOST = 20
"""Most co-authors that a commit names."""

_OURS = ("@git-cto.invalid>", "@workers.git-cto.localhost>")


def coauthors(context: Context, execution: Execution, tree: str) -> tuple[str, ...]:
    """Return whom a worker's commits name, if they lead to exactly the files taken up.

    Nobody when the commits cannot be read safely: a worker must not be able to fail so.
    """
    registered = context.plugins.workspaces().get(execution.workspace)
    if registered is None:
        return ()
    answer: RoomTips | Crashed | TimedOut = ask(
        context.plugins,
        registered,
        "tips",
        context.repository,
        context.layout.room(execution.id),
        deadline_s=ROOM_DEADLINE_S,
    )
    if isinstance(answer, Crashed | TimedOut):
        return ()
    commits = answer.commits - {execution.base, "0" * len(execution.base)}
    if not commits:
        return ()
    place = context.layout.place(execution.id)
    try:
        tips = take_tips(context.repository, commits, execution.base, answer.objects, place)
        found = authors_since(context.git, tips, execution.base, tree)
    except CtoError:
        return ()
    return tuple(person for person in found if not person.endswith(_OURS))[:MOST]
