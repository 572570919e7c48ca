"""After an execution ended: its work is reachable first, then its room goes."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError
from gitcto.git.durable import discard, storage_errors, sync_directory
from gitcto.git.harvest import HarvestRefused
from gitcto.git.ignored import with_ignored
from gitcto.git.tips import take_tips
from gitcto.git.trees import is_ancestor
from gitcto.model.commands import RecordPreserved
from gitcto.model.records import Execution, Task
from gitcto.room_contracts import RoomTips
from gitcto.runtime.core.jobs import Post
from gitcto.runtime.core.messages import RoomRemoved, Work
from gitcto.runtime.core.seats import last_in, seat_named, seat_of, seated, seated_at
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import execution_of
from gitcto.runtime.worker.run_files import COMMAND
from gitcto.runtime.workspace import trash
from gitcto.runtime.workspace.commits import ignored_commit
from gitcto.runtime.workspace.left_behind import note_left, why_kept
from gitcto.runtime.workspace.rooms import ROOM_DEADLINE_S, release_room
from gitcto.runtime.workspace.taking_up import take_up
from gitcto.store.reader import LedgerReader


def preserve(
    context: Context, execution: Execution, work: Work | None, beside: str = ""
) -> RecordPreserved | None:
    """Keep work that will not land under its preserved ref; return the command that records it.

    Ignored files go with it as far as policy asks. Nothing to keep (no work, or a tree like the
    base's) gives None. ``beside`` is the seat of work beside that of the execution itself.
    """
    if work is None or not work.commit:
        return None
    mine = seated(execution, last_in(execution, beside or seat_of(execution)))
    commit = _with_ignored(context, mine, work)
    if not work.changed and commit == work.commit:
        return None
    name = f"{execution.id}.{beside}" if beside else execution.id
    ref = context.layout.preserved_ref(name)
    if not context.refs.compare_and_swap(ref, None, commit):
        held = context.refs.read(ref)
        if not held or not is_ancestor(context.git, work.commit, held):
            raise CtoError(
                f"{ref} holds {held}, not the work of this execution",
                "rename that ref (git update-ref) so that nothing is lost, then run again",
            )
        commit = held
    context.effects.crash_point("work.preserved")
    return RecordPreserved(execution=execution.id, ref=ref, commit=commit, seat=beside)


def _with_ignored(context: Context, execution: Execution, work: Work) -> str:
    """Return a commit that adds the room's ignored files to its work, as far as policy asks.

    What cannot be kept so is noted, and its room stays.
    """
    layout, patterns = context.layout, context.policy.rooms.preserve_ignored
    room = layout.room(execution.id)
    if not patterns or room.is_symlink() or not room.is_dir():
        return work.commit
    place = layout.place(execution.id)
    found = with_ignored(context.repository, room, work.tree, patterns, place)
    note_left(layout, execution, found.left)
    if found.tree == work.tree:
        return work.commit
    return ignored_commit(context, execution, found.tree, work.commit)


def move_in(context: Context, execution: Execution) -> None:
    """Pin work that was adopted for an execution, and give it the records of who did it.

    Doing it again changes nothing.
    """
    layout = context.layout
    context.refs.compare_and_swap(layout.execution_ref(execution.id), None, execution.work)
    source, own = layout.records(execution.adopted), layout.records(execution.id)
    if source.is_dir() and not own.exists():
        with storage_errors(f"rename {source}"):
            source.rename(own)
            sync_directory(own.parent)


def unpin(context: Context, execution: Execution) -> None:
    """Drop the refs that kept unsettled work; the ledger or a preserved ref keeps it now.

    Also those of rooms in which a step only read: to prove that nothing is in one pins it again.
    """
    prefix = context.layout.execution_prefix
    for ref, held in context.refs.list(prefix).items():
        if execution_of(ref.removeprefix(prefix)) == execution.id:
            context.refs.delete(ref, held)


def removal(context: Context, execution: Execution) -> Callable[[Post], None]:
    """Return the job that drops a settled execution's ref, and removes its room and records."""

    def job(post: Post) -> None:
        try:
            unpin(context, execution)
            problem = remove(context, execution)
        except CtoError as error:
            problem = error.message
        post(RoomRemoved(execution=execution.id, problem=problem))
        emptying(context)(post)

    return job


def emptying(context: Context) -> Callable[[Post], None]:
    """Return the job that deletes what was removed. Nobody waits for it.

    What is left when the run ends is deleted by the next one; what cannot be deleted, by nobody:
    `git cto clean` says why.
    """

    def job(post: Post) -> None:
        del post
        with suppress(CtoError):
            trash.empty(context.layout.trash)

    return job


def remove(context: Context, execution: Execution) -> str:
    """Remove an execution's rooms, scratch and records; return the problem or nothing.

    The records go last: while they exist, recovery knows that something may be left.
    """
    layout = context.layout
    rooms = [seated_at(execution, name) for name in layout.places(execution.id)] or [execution]
    for room in rooms:
        problem = why_kept(layout, room) or _beside(context, room)
        problem = problem or (_of_other_seat(context, room) if len(rooms) > 1 else "")
        problem = problem or keep_tips(context, room)
        if problem:
            return problem
    unpin(context, execution)  # what was proved just now was pinned again
    for room in rooms:
        problem = release_room(context, room)
        if problem:
            return problem
    try:
        for run in layout.runs(execution.id) or (execution.id,):
            discard(layout.outside(run))
            discard(layout.records(run))
    except CtoError as error:
        return error.message
    return ""


def _of_other_seat(context: Context, room: Execution) -> str:
    """Return why a room may not go in which others than the chosen worker have worked."""
    seat = seat_named(room)
    if not seat or seat == seat_of(room):
        return ""
    with LedgerReader(context.repository, context.layout.team) as reader:
        task = reader.view().task(room.task)
    return "" if task is None else _unreachable_files(context, task, room)


def keep_tips(context: Context, execution: Execution) -> str:
    """Make a ref for every commit that only the worker's room holds; return the problem, if any.

    A room without commits of its worker costs a look at a few files.
    """
    context.effects.crash_point("tips.asked")
    registered = context.plugins.workspaces().get(execution.workspace)
    room = context.layout.room(execution.id)
    if registered is None:
        there = room.exists()
        return f"no plugin knows the room of workspace {execution.workspace!r}" if there else ""
    answer: RoomTips | Crashed | TimedOut = ask(
        context.plugins,
        registered,
        "tips",
        context.repository,
        room,
        deadline_s=ROOM_DEADLINE_S,
    )
    if isinstance(answer, Crashed | TimedOut):
        return f"{answer.what}: {answer.reason}"
    commits = answer.commits - {execution.base, "0" * len(execution.base)}
    if not commits:
        return ""
    place = context.layout.place(execution.id)
    try:
        tips = take_tips(context.repository, commits, execution.base, answer.objects, place)
        context.effects.crash_point("tips.taken")
        for tip in tips:
            context.refs.compare_and_swap(context.layout.tip_ref(execution.id, tip), None, tip)
            context.effects.crash_point("tips.kept")
    except CtoError as error:
        return error.message
    return ""


def unreachable_work(context: Context, task: Task, execution: Execution) -> str:
    """Return why an ended execution's room must stay, or nothing when all of it is reachable.

    The proof is made, not remembered: the room is harvested again, and its tree must be what
    landed was made of, what a preserved ref holds, or the base. What its worker committed is
    taken over, if that was not done before.
    """
    for name in context.layout.places(execution.id) or (execution.id,):
        room = seated_at(execution, name)
        problem = (
            _unreachable_files(context, task, room)
            or why_kept(context.layout, room)
            or _beside(context, room)
            or keep_tips(context, room)
        )
        if problem:
            return problem
    return ""


def _beside(context: Context, execution: Execution) -> str:
    """Name what a worker moved beside its room, where its level of isolation allows that."""
    place = context.layout.place(execution.id)
    if not place.is_dir():
        return ""
    found = sorted(name for path in place.iterdir() if (name := path.name) not in _OURS)
    found = [name for name in found if not name.lstrip(".").startswith(_OURS_BEGIN)]
    found = [name for name in found if not _CUT_SHORT.fullmatch(name)]
    shown = ", ".join(map(ascii, found[:3]))
    hint = "delete that when you have it"
    return f"{place} holds what its worker moved there: {shown}; {hint}" if found else ""


_OURS = frozenset(
    {
        ".room.removing",
        "cone.json",
        "left.json",
        "private",
        "room",
        "room.index",
        "scratch",
        "warm",
    }
)
_OURS_BEGIN = (COMMAND, "harvest.", "tips.")
_CUT_SHORT = re.compile(r"room\.index\.lock|(?:cone|left)\.json\.[0-9]+\.tmp")
"""What a kill leaves of writing our own files there."""


def _unreachable_files(context: Context, task: Task, execution: Execution) -> str:
    if not context.layout.room(execution.id).exists():
        return ""
    try:
        work = take_up(context, task, execution)
    except HarvestRefused as refused:
        return refused.message
    if not work.changed or work.tree == execution.tree:
        return ""
    kept = (execution_of(execution.id), f"{execution_of(execution.id)}.{seat_named(execution)}")
    for name in kept:
        held = context.refs.read(context.layout.preserved_ref(name))
        if held and is_ancestor(context.git, work.commit, held):
            return ""
    return f"the room holds work that no ref keeps (tree {work.tree[:12]})"
