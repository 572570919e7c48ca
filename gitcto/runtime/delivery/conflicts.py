"""Which changes that are not on the target yet will not go together: asked before they land.

Everything is merged in a sketch of the repository, without files and without a trace. Work that was
harvested is merged as it is; the room of a running worker is looked at as a harvest would, by our
own git with an index of its own. Where that is refused, the paths that its task declares stand for
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from gitcto.errors import CtoError
from gitcto.git.harvest import Taking
from gitcto.git.sketch import sketch
from gitcto.git.trees import Conflicted, changes, commit_of, merge_tree
from gitcto.model.records import Execution, TaskSpec, TaskState
from gitcto.runtime.workspace.rooms import recorded_cone

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.git.change import Change
    from gitcto.git.process import Git
    from gitcto.git.repository import Repository
    from gitcto.runtime.host.layout import Layout

Seen = Literal["harvested", "room", "declared"]
"""What is known of a change: what was taken up, what its room holds now, or only its task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An attempt that is under way, and its task."""

    task: TaskSpec
    execution: Execution


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One change to compare; ``commit`` is empty when only its declared paths are known."""

    running: Running
    seen: Seen
    commit: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def task(self) -> str:
        """The id of the task."""
        return self.running.task.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two changes that will not go together, or one and the target: then ``other`` is empty.

    It is ``certain`` when git merged them and could not, and not when one side's declared paths
    merely cover what the other changes. ``detail`` are git's words.
    """

    one: str
    other: str
    paths: tuple[str, ...]
    certain: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What was looked at, and which conflicts were found, in the order of the changes."""

    sides: tuple[Side, ...]
    conflicts: tuple[Conflict, ...]


def forecast(
    repository: Repository, layout: Layout, tip: str | None, running: Sequence[Running]
) -> Forecast:
    """Return the conflicts among running attempts, and of each with the target's ``tip``."""
    with sketch(repository) as (git, private):
        looks = _Looks(git, repository, layout, private)
        sides = [side for one in running if (side := looks.side(one)) is not None]
        found = [*_with_target(git, tip, sides), *_among(git, sides)]
    return Forecast(sides=tuple(sides), conflicts=tuple(found))


@dataclass(frozen=True, slots=True)
class _Looks:
    """Finds out what each attempt changes."""

    git: Git
    repository: Repository
    layout: Layout
    private: Path

    def side(self, one: Running) -> Side | None:
        """Return what is known of an attempt; None when it has not begun."""
        x = one.execution
        if x.state in {TaskState.VALIDATING, TaskState.INTEGRATING}:
            found = changes(self.git, x.base, x.work)
            return Side(running=one, seen="harvested", commit=x.work, changes=found)
        if x.state is not TaskState.EXECUTING:
            return None
        try:
            return self._room(one)
        except CtoError:
            return Side(running=one, seen="declared")

    def _room(self, one: Running) -> Side:
        x = one.execution
        room = self.layout.room(x.id)
        taking = Taking(self.git, room, self.private / f"{x.id}.index")
        taken = taking.take(x.base, recorded_cone(self.layout, x.id))
        taking.pointers(self.repository, taken, None)
        commit = commit_of(self.git, taken.tree, x.base)
        return Side(running=one, seen="room", commit=commit, changes=taken.changes)


def _with_target(git: Git, tip: str | None, sides: Iterable[Side]) -> Iterator[Conflict]:
    for side in sides:
        base = side.running.execution.base
        if tip is None or not side.commit or tip == base:
            continue
        merged = merge_tree(git, base, tip, side.commit)
        if isinstance(merged, Conflicted):
            yield _certain(side, "", merged)


def _among(git: Git, sides: Sequence[Side]) -> Iterator[Conflict]:
    for one, other in combinations(sides, 2):
        if one.commit and other.commit:
            if _may_meet(one.changes, other.changes):
                yield from _merged(git, one, other)
        else:
            yield from _declared(git, one, other)


def _merged(git: Git, one: Side, other: Side) -> Iterator[Conflict]:
    base = git.run("merge-base", one.commit, other.commit, check=False).out.decode().strip()
    if not base:
        return
    merged = merge_tree(git, base, one.commit, other.commit)
    if isinstance(merged, Conflicted):
        yield _certain(one, other.task, merged)


def _certain(side: Side, other: str, merged: Conflicted) -> Conflict:
    return Conflict(
        one=side.task, other=other, paths=merged.paths, certain=True, detail=merged.detail
    )


def _declared(git: Git, one: Side, other: Side) -> Iterator[Conflict]:
    """Compare what one side declares with what the other changes, or declares too."""
    vague, clear = (one, other) if not one.commit else (other, one)
    globs = vague.running.task.paths
    if not globs:
        return
    if clear.commit:
        specs = [f":(top,glob){each}" for each in globs]
        base = clear.running.execution.base
        listing = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, clear.commit)
        out = git.run(*listing, "--", *specs).out.decode("utf-8", "surrogateescape")
        paths = tuple(out.split("\0")[:-1])
    else:
        paths = tuple(sorted({*globs} & {*clear.running.task.paths}))
    if paths:
        yield Conflict(one=one.task, other=other.task, paths=paths, certain=False)


def _may_meet(some: Sequence[Change], others: Sequence[Change]) -> bool:
    """Tell whether merging two changes can conflict at all; most pairs need not be merged.

    They must touch the same path, or one a path where the other has a directory, or one must take
    something away from a directory that the other adds to, which git may take for a rename.
    """
    one, other = {each.path for each in some}, {each.path for each in others}
    if one & other or one & _above(other) or other & _above(one):
        return True
    return bool(
        _places(some, "D") & _places(others, "A") or _places(some, "A") & _places(others, "D")
    )


def _above(paths: Iterable[str]) -> set[str]:
    return {path[:at] for path in paths for at, letter in enumerate(path) if letter == "/"}


def _places(found: Iterable[Change], status: str) -> set[str]:
    return _above(each.path for each in found if each.status == status)
