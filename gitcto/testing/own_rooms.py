"""Workers' rooms made and removed, with every workspace plugin, as small programs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.trees import checkout
from gitcto.model import commands as cmd
from gitcto.model.events import ExecutionLeased
from gitcto.runtime.workspace.pool import Pool
from gitcto.runtime.workspace.rooms import make_room
from gitcto.runtime.workspace.settle import remove
from gitcto.runtime.workspace.trash import empty, throw
from gitcto.testing import own_team as own
from gitcto.testing.scene import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitcto.model.records import Execution
    from gitcto.runtime.host.context import Context
    from gitcto.testing.scene import Scene


def _make(scene: Scene, workspace: str) -> None:
    """Claim the task and make a room for it, after what an interrupted run left was cleared."""
    context = own.open_context(scene)
    with context.ledger:
        for left in list(context.ledger.view().live()):
            _end(scene, context, left)
        execution = context.effects.new_id()
        own.record(scene, context.ledger, own.lease(own.head(scene), execution, workspace))
        x = context.ledger.view().execution(execution)
        task = context.ledger.view().task(own.TASK)
        if x is None or task is None:
            raise AssertionError("the execution is unknown")
        make_room(context, task, x)


def _remove(scene: Scene) -> None:
    """End the attempt and clear its room away; what a killed run left, the next one clears."""
    context = own.open_context(scene)
    with context.ledger:
        for x in [context.ledger.view().execution(each) for each in _known(context)]:
            if x is not None:
                _end(scene, context, x)


def _remove_and_go_on(scene: Scene) -> None:
    _remove(scene)
    own.go_on(scene)


def _known(context: Context) -> list[str]:
    bodies = [each.event.body for each in context.ledger.events()]
    return [body.execution for body in bodies if isinstance(body, ExecutionLeased)]


def _end(scene: Scene, context: Context, x: Execution) -> None:
    if x.state == "dispatching":
        failed = cmd.FailExecution(
            execution=x.id, epoch=x.epoch, reason="r", detail="", charged=False, max_attempts=1
        )
        own.record(scene, context.ledger, failed)
    problem = remove(context, x)
    if problem:
        raise CtoError(problem, "run the command again")
    empty(context.layout.trash)


def _one_room(scene: Scene) -> Iterator[str]:
    """Look for exactly one room, whole and known to git where it should be."""
    rooms = list((scene.root / "rooms" / own.TEAM).glob("*/room"))
    if len(rooms) != 1:
        yield f"{len(rooms)} rooms"
    for room in rooms:
        said = own.git(scene, "status", "--porcelain", repo=str(room))
        if said or own.git(scene, "rev-parse", "HEAD:", repo=str(room)) != own.git(
            scene, "rev-parse", "main:"
        ):
            yield f"the room is not its base: {said!r}"
    yield from _entries(scene, len(rooms))


def _no_room(scene: Scene) -> Iterator[str]:
    left = [path for path in (scene.root / "rooms").rglob("*") if path.is_file()]
    left = [path for path in left if path.name != "lock"]
    if left:
        yield f"left: {left}"
    yield from _entries(scene, 0)


def _entries(scene: Scene, rooms: int) -> Iterator[str]:
    """Look at what linked worktrees leave in the repository; rooms of other kinds leave nothing."""
    git_dir = scene.root / "repo" / ".git"
    entries = git_dir / "worktrees"
    found = sorted(entries.iterdir()) if entries.is_dir() else []
    found += sorted(git_dir.glob("cto/worktree.*"))
    if len(found) > rooms:
        yield f"worktree entries: {found}"
    branches = own.git(scene, "for-each-ref", "--format=%(refname)", "refs/heads/cto/demo/T1*")
    if len(branches.split()) > rooms:
        yield f"branches: {branches}"


def _with_room(scene: Scene, workspace: str) -> None:
    own.make_planned(scene)
    _make(scene, workspace)


def _pool(scene: Scene) -> Pool:
    context = own.open_context(scene)
    layout = context.layout
    context.ledger.close()
    return Pool(root=layout.pool, trash=layout.trash, git=context.git, capacity=2, least_files=1)


def _with_files(scene: Scene) -> None:
    own.make_planned(scene)
    room = scene.root / "rooms" / "one"
    room.mkdir(parents=True)
    base = own.head(scene)
    checkout(_pool(scene).git, base, room / "room", room / "index")


def _keep(scene: Scene) -> None:
    """Put a room into the pool; one that a kill caught on its way there is thrown away."""
    pool, place = _pool(scene), scene.root / "rooms" / "one"
    base = own.head(scene)
    throw(pool.trash, place / "warm")
    kept = (place / "index").exists() and _set_aside(pool, place)
    problem = pool.put(base, place / "warm") if kept else ""
    if problem:
        throw(pool.trash, place / "warm")
    throw(pool.trash, place / "room")
    (place / "index").unlink(missing_ok=True)
    empty(pool.trash)


def _set_aside(pool: Pool, place: Path) -> bool:
    try:
        return pool.set_aside(place / "room", place / "index", place / "warm")
    except OSError:
        return False


def _with_warm_tree(scene: Scene) -> None:
    _with_files(scene)
    _keep(scene)


def _take(scene: Scene) -> None:
    """Make a room of a warm tree, or of nothing when there is none that can be trusted."""
    pool, place = _pool(scene), scene.root / "rooms" / "two"
    base = own.head(scene)
    throw(pool.trash, place)
    with storage_errors(f"make {place}"):
        place.mkdir()
    if not pool.take(base, place / "room", place / "index", place / "warm"):
        checkout(pool.git, base, place / "room", place / "index")
    empty(pool.trash)


def _taken(scene: Scene) -> Iterator[str]:
    place = scene.root / "rooms" / "two"
    for name in ("base.txt", "sub/one.txt", "sub/two.txt"):
        if (place / "room" / name).read_text() != f"{name}\n":
            yield f"{name} is not as it should be"
    yield from _warm(scene)


def _warm(scene: Scene) -> Iterator[str]:
    """Whatever is in the pool must be whole."""
    for tree in _pool(scene).trees():
        for name in ("base.txt", "sub/one.txt", "sub/two.txt"):
            if (tree.path / "tree" / name).read_text() != f"{name}\n":
                yield f"{tree.path} is not as it should be"


def _rooms() -> Iterator[Operation]:
    for workspace in ("clone", "worktree"):
        make = partial(_make, workspace=workspace)
        yield Operation(
            name=f"{workspace} room made", prepare=own.make_planned, act=make, check=_one_room
        )
        prepare = partial(_with_room, workspace=workspace)
        yield Operation(
            name=f"{workspace} room removed",
            prepare=prepare,
            act=_remove,
            recover=_remove_and_go_on,
            check=_no_room,
        )


ROOMS = (
    *_rooms(),
    Operation(
        name="warm tree kept", prepare=_with_files, act=_keep, check=_warm, until_reboot=True
    ),
    Operation(
        name="warm tree taken", prepare=_with_warm_tree, act=_take, check=_taken, until_reboot=True
    ),
)
