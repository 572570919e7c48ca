"""Warm trees: a room of a large repository made from one, beside `git worktree add`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.measure import Cost, Effort, Row, cost_of, cpu_s, in_turns, wall_s
from bench.repositories import Place, fast_import, stored
from gitcto.containment import Crashed, TimedOut
from gitcto.git.process import trusted
from gitcto.git.trees import checkout
from gitcto.plugins import Plugins
from gitcto.room_contracts import RoomMaker, RoomRequest
from gitcto.runtime.workspace import trash
from gitcto.runtime.workspace.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = 60_000
LINES = 10
NEAR = 100
"""How many files differ between neighbouring commits."""

_ROUNDS = 2
_GIT = "git worktree add"
_numbers = count(1)


class Site(NamedTuple):
    """A large repository, its pool, and two commits that are near each other."""

    place: Place
    pool: Pool
    maker: RoomMaker
    bases: tuple[str, str]


def measure(effort: Effort) -> list[Row]:
    """Return rows for rooms made new, made from a tree of the same commit, and of a near one."""
    files = effort.size(FILES, 20)
    with _site(files, effort.size(NEAR, 2)) as site:
        (first, second), place = site.bases, site.place.beside("first")
        new = [cost_of(lambda: _room_of(site, place, first, from_pool=False))]
        _put_back(site, place, first)
        cases: Mapping[str, Callable[[], dict[str, Cost]]] = {
            _GIT: partial(_plain, site, first),
            "same": partial(_warm, site, {first: first, second: second}),
            "near": partial(_warm, site, {first: second, second: first}),
        }
        done = in_turns(cases, effort.turns(_ROUNDS))
        _room_of(site, place, first, from_pool=True)
        thrown = [cost_of(lambda: _throw(site, place))]
    git = [one["making"] for one in done[_GIT]]
    removed = [one["removing"] for one in done[_GIT]]
    same, near = ([one["making"] for one in done[name]] for name in ("same", "near"))
    kept = [one["removing"] for one in done["near"]]
    versus = "git worktree remove"
    return [
        *_rows(f"{files} files, made new", new, git),
        *_rows(f"{files} files, from a warm tree of the same commit", same, git, goal=0.1),
        *_rows(f"{files} files, from a warm tree {NEAR} files away", near, git, goal=0.1),
        *_rows(f"{files} files, put back to be kept warm", kept, removed, versus),
        *_rows(f"{files} files, removed, deletion aside", thrown, removed, versus),
    ]


def _rows(
    what: str, ours: list[Cost], git: list[Cost], versus: str = _GIT, goal: float | None = None
) -> list[Row]:
    return [
        Row(
            what=what,
            value=wall_s(ours) * 1e3,
            unit="ms",
            baseline=wall_s(git) * 1e3,
            versus=versus,
            ratio_limit=goal,
        ),
        Row(
            what=f"{what}, CPU",
            value=cpu_s(ours) * 1e3,
            unit="ms CPU",
            baseline=cpu_s(git) * 1e3,
            versus=versus,
        ),
    ]


@contextmanager
def _site(files: int, near: int) -> Iterator[Site]:
    with stored(files, LINES) as place:
        first = place.git("rev-parse", "main")
        fast_import(place, _next_commit(first, near))
        repository = place.repository()
        pool = Pool(
            root=place.beside("pool"),
            trash=place.beside("trash"),
            git=trusted(repository),
            capacity=6,
            least_files=1,
        )
        plugins = Plugins.load(sys.path)
        maker: RoomMaker | Crashed | TimedOut = plugins.instantiate(plugins.workspaces()["clone"])
        if isinstance(maker, Crashed | TimedOut):
            raise maker.error()
        yield Site(place, pool, maker, (first, place.git("rev-parse", "next")))


def _next_commit(parent: str, near: int) -> Iterator[bytes]:
    yield b"commit refs/heads/next\ncommitter Ada <ada@example.com> 1700000001 +0000\n"
    yield b"data 4\nnext\nfrom " + parent.encode() + b"\n"
    for number in range(near):
        yield b"M 100644 inline part%d/new%d.txt\ndata 4\nnew\n" % (number, number)


def _plain(site: Site, base: str) -> dict[str, Cost]:
    path = str(site.place.beside(f"plain-{next(_numbers)}"))
    add = ("worktree", "add", "--quiet", "--detach", path, base)
    making = cost_of(lambda: site.place.git(*add))
    remove = ("worktree", "remove", "--force", path)
    return {"making": making, "removing": cost_of(lambda: site.place.git(*remove))}


def _warm(site: Site, wanted: Mapping[str, str]) -> dict[str, Cost]:
    """Make a room of the commit that is ``wanted`` of the warm tree's one, and put it back."""
    place = site.place.beside(f"place-{next(_numbers)}")
    [tree] = site.pool.trees()
    base = wanted[tree.base]
    making = cost_of(lambda: _room_of(site, place, base, from_pool=True))
    return {"making": making, "removing": cost_of(lambda: _put_back(site, place, base))}


def _room_of(site: Site, place: Path, base: str, *, from_pool: bool) -> None:
    room, index, aside = _names(place)
    place.mkdir(exist_ok=True)
    if not from_pool:
        checkout(site.pool.git, base, room, index)
    elif not site.pool.take(base, room, index, aside):
        raise RuntimeError("the pool gave nothing")
    request = RoomRequest(
        repository=site.place.repository(),
        git=site.pool.git,
        path=room,
        base=base,
        branch="bench",
        index=index,
    )
    site.maker.create(request)


def _put_back(site: Site, place: Path, base: str) -> None:
    room, index, aside = _names(place)
    if not site.pool.set_aside(room, index, aside):
        raise RuntimeError("the pool wants nothing")
    site.maker.release(site.place.repository(), site.pool.git, room)
    problem = site.pool.put(base, aside)
    if problem:
        raise RuntimeError(problem)


def _throw(site: Site, place: Path) -> None:
    room = _names(place)[0]
    trash.throw(site.pool.trash, room)
    site.maker.release(site.place.repository(), site.pool.git, room)
    trash.throw(site.pool.trash, place)


def _names(place: Path) -> tuple[Path, Path, Path]:
    return place / "room", place / "room.index", place / "warm"
