"""What came of an attack, read off the world."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from gitcto.escape import observe
from gitcto.escape.attacks.exhaustion import MARK_BYTES, STEP
from gitcto.escape.bystanders import Bystanders
from gitcto.escape.way import Trail, Way
from gitcto.escape.world import GOALS, OUTPUT_BYTES, World
from gitcto.git.harvest import means_git
from gitcto.runtime.worker import workers

_NEARLY = 0.9
"""Which part of its goal makes an attack on the machine a success."""


def while_it_stands(
    world: World, way: Way, there: Bystanders, trail: Trail, nonce: str
) -> Iterator[str]:
    """Yield what is found before the room goes."""
    if trail.hung:
        yield trail.hung
    yield from (f"believed {lie}" for lie in trail.believed)
    yield from (f"stolen: {name}" for name in observe.leaked(way.place))
    yield from (f"reached: {name}" for name in there.reached())
    yield from (f"terminal: {name}" for name in there.typed())
    yield from (f"ran: {path.name}" for path in sorted(world.fired.iterdir()))
    if observe.survivors(nonce, set()) or observe.held(way.place):
        yield "left behind: a process"
    if (way.place / "stray").exists():
        yield "changed: a file beside the room"
    yield from _hurt(there)
    yield from _too_much(way, trail)
    yield from (f"another's to run: {name}" for name in _borrowed_identity(way.place))


def _hurt(there: Bystanders) -> Iterator[str]:
    seen = workers.observe(there.records)
    if seen.exit is not None or not seen.alive:
        yield "the other worker ended"
    if observe.stopped(there.started.pid):
        yield "the other worker was stopped"


def _too_much(way: Way, trail: Trail) -> Iterator[str]:
    room, scratch = way.place / "room", way.place / "scratch"
    forked = room / "forked"
    used = {
        "processes": (sum(1 for _ in forked.iterdir()) if forked.is_dir() else 0, GOALS.processes),
        "memory": (_size(room / "taken") // MARK_BYTES * STEP, GOALS.memory),
        "one file": (observe.weight(room / "big"), GOALS.file),
        "files": (observe.weight(room / "many"), GOALS.disk),
        "scratch": (observe.weight(scratch / "many"), GOALS.disk),
        "output": (observe.weight(trail.output), 4 * OUTPUT_BYTES),
    }
    for what, (amount, goal) in used.items():
        if amount >= goal * _NEARLY:
            yield f"used up: {what}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _borrowed_identity(place: Path) -> Iterator[str]:
    """Yield programs that would run as the worker's user, where another user can start them."""
    try:
        within_reach = place.stat().st_mode & stat.S_IXOTH
    except OSError:
        return
    for path in observe.files_below(place) if within_reach else ():
        if path.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID):
            yield path.name


def afterwards(world: World, way: Way, before: observe.Look, refs: frozenset[str]) -> Iterator[str]:
    """Yield what is found when the room is gone."""
    after = observe.look(world, way.is_ours)
    yield from (
        f"changed: {path}" for path in observe.changed(before, after, may_be_new=way.may_add)
    )
    yield from _unsafe_results(world, refs)
    if _ghosts(world):
        yield "a heartbeat of nobody"
    mounts = Path("/proc/self/mounts")
    if mounts.exists() and str(world.home) in mounts.read_text():
        yield "mounted over the user's files"


def _unsafe_results(world: World, before: frozenset[str]) -> Iterator[str]:
    """Yield names in new commits of the user's repository that mean ``.git`` to some system."""
    for commit in sorted(commits(world) - before):
        listed = world.git("ls-tree", "-r", "-z", "--name-only", commit, check=False)
        for path in listed.split("\0"):
            if any(means_git(part) for part in path.split("/")):
                yield f"taken over: {path}"


def commits(world: World) -> frozenset[str]:
    """Return what the user's refs name."""
    listed = world.git("for-each-ref", "--format=%(objectname)", check=False)
    return frozenset(listed.split())


def _ghosts(world: World) -> bool:
    """Tell whether the sidecar holds what an attack wrote into it."""
    place = world.git_dir / "cto"
    return any(b"ghost" in path.read_bytes() for path in place.glob("sidecar.db*"))
