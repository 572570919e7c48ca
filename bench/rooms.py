"""Rooms: 40 asked for at once, beside as many plain `git worktree add` at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import NamedTuple

from bench.measure import Cost, Effort, Row, cost_of, cpu_s, in_turns, wall_s
from bench.repositories import Place, scratch
from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError
from gitcto.git.durable import discard
from gitcto.git.process import trusted
from gitcto.git.trees import checkout
from gitcto.plugins import Plugins
from gitcto.room_contracts import RoomMaker, RoomRequest

ROOMS = 40
FILES = 100
_ROUNDS = 3
_GIT = "git worktree add"
_numbers = count(1)


class Made(NamedTuple):
    """One time: how many rooms were not made, what stayed behind, and the costs of one made."""

    missing: int
    left: int
    making: Cost
    removing: Cost


class Makers(NamedTuple):
    """How one kind of room is made and removed; both say whether it worked."""

    make: Callable[[Path], bool]
    remove: Callable[[Path], bool]


def measure(effort: Effort) -> list[Row]:
    """Return rows for each kind of room."""
    number = effort.size(ROOMS, 4)
    with ExitStack() as stack:
        cases = {}
        for name in (_GIT, *_OURS):  # a repository each: what git leaves behind is not ours
            place = stack.enter_context(scratch(effort.size(FILES, 5)))
            kind = _plain(place) if name == _GIT else _plugin(place, name)
            cases[name] = partial(_at_once, place, kind, number)
        done = in_turns(cases, effort.turns(_ROUNDS))
    return [row for name in _OURS for row in _rows(name, number, done[name], done[_GIT])]


_OURS = ("clone", "worktree")


def _rows(name: str, number: int, ours: list[Made], git: list[Made]) -> Iterable[Row]:
    for what, field in (("not made", "missing"), ("left over", "left")):
        yield Row(
            what=f"{name}: of {number} at once, {what}, worst",
            value=max(getattr(made, field) for made in ours),
            unit="rooms",
            baseline=max(getattr(made, field) for made in git),
            versus=_GIT,
            limit=0,
        )
    for what in ("making", "removing"):
        mine, plain = ([getattr(made, what) for made in kind] for kind in (ours, git))
        versus = _GIT if what == "making" else "git worktree remove"
        yield Row(
            what=f"{name}: {what}, per room made",
            value=wall_s(mine) * 1e3,
            unit="ms",
            baseline=wall_s(plain) * 1e3,
            versus=versus,
        )
        yield Row(
            what=f"{name}: {what}, per room made, CPU",
            value=cpu_s(mine) * 1e3,
            unit="ms CPU",
            baseline=cpu_s(plain) * 1e3,
            versus=versus,
        )


def _at_once(place: Place, kind: Makers, number: int) -> Made:
    folder = place.beside(f"rooms-{next(_numbers)}")
    folder.mkdir()
    paths = [folder / f"room-{next(_numbers)}" for _ in range(number)]
    made: list[bool] = []
    with ThreadPoolExecutor(number) as pool:
        making = cost_of(lambda: made.extend(pool.map(kind.make, paths)))
        whole = [path for path, ok in zip(paths, made, strict=True) if ok and path.is_dir()]
        removing = cost_of(lambda: list(pool.map(kind.remove, paths)))
    missing, left = number - len(whole), _left_over(place, folder)
    return Made(missing, left, *(_each(cost, len(whole)) for cost in (making, removing)))


def _each(cost: Cost, number: int) -> Cost:
    """Return the cost of one that was made: what fails early must not look cheap."""
    return Cost(cost.wall_s / max(1, number), cost.cpu_s / max(1, number))


def _left_over(place: Place, folder: Path) -> int:
    """Count rooms, entries of worktrees and branches that should be gone."""
    listed = place.git("worktree", "list", "--porcelain").count("worktree ") - 1
    branches = len(place.git("for-each-ref", "refs/heads/bench").splitlines())
    return max(sum(1 for _ in folder.iterdir()), listed, branches)


def _plain(place: Place) -> Makers:
    def git(*arguments: str) -> bool:
        command = ["git", "worktree", *arguments]
        done = subprocess.run(
            command, cwd=place.path, env=dict(place.env), capture_output=True, check=False
        )
        return done.returncode == 0

    return Makers(
        lambda path: git("add", "--quiet", "--detach", str(path), "main"),
        lambda path: git("remove", "--force", str(path)),
    )


def _plugin(place: Place, name: str) -> Makers:
    plugins, repository = Plugins.load(sys.path), place.repository()
    maker: RoomMaker | Crashed | TimedOut = plugins.instantiate(plugins.workspaces()[name])
    if isinstance(maker, Crashed | TimedOut):
        raise maker.error()
    git, base, room_maker = trusted(repository), place.git("rev-parse", "main"), maker

    def make(path: Path) -> bool:
        branch = f"bench/{path.name}"
        index = path.with_name(f"{path.name}.index")
        request = RoomRequest(
            repository=repository, git=git, path=path, base=base, branch=branch, index=index
        )
        checkout(git, base, path, index)
        return _works(partial(room_maker.create, request))

    def remove(path: Path) -> bool:
        released = _works(partial(room_maker.release, repository, git, path))
        discard(path)
        return released

    return Makers(make, remove)


def _works(action: Callable[[], None]) -> bool:
    try:
        action()
    except CtoError:
        return False
    return True
