"""Where a gate works: a place of its own for each question, with the tree as files in it.

The files come from the warm pool when it has some, and go back to it when nothing about them is
doubtful; the pool proves that they are clean. Nothing is shared with another gate or a worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.trees import checkout
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.isolation import isolation_of, make_home
from gitcto.runtime.worker.remains import end_commands
from gitcto.runtime.workspace.rooms import TRUSTED, pool_of
from gitcto.runtime.workspace.trash import throw


@dataclass(frozen=True, slots=True)
class GatePlace:
    """A directory for one question to one gate; nobody else ever gets it."""

    root: Path

    @property
    def tree(self) -> Path:
        """The files that are judged."""
        return self.root / "tree"

    @property
    def index(self) -> Path:
        """The index that matches the files as we wrote them; no command can write it."""
        return self.root / "index"

    @property
    def scratch(self) -> Path:
        """What the gate and its commands may write besides the files."""
        return self.root / "scratch"

    @property
    def warm(self) -> Path:
        """Where the files are on their way into the pool, or out of it."""
        return self.root / "warm"

    def private(self) -> Path:
        """Make a directory of ours for one command's sandbox."""
        return Path(mkdtemp(prefix="p.", dir=self.root))


@contextmanager
def gate_place(context: Context) -> Iterator[GatePlace]:
    """Make a place, and throw it away afterwards. Raises ``CtoError``."""
    root = context.layout.gates
    with storage_errors(f"prepare {root}"):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = GatePlace(Path(mkdtemp(dir=root)))
    try:
        make_home(place.scratch)
        yield place
    finally:
        with suppress(CtoError):  # the next run finds it
            throw(context.layout.trash, place.root)


def fill(context: Context, place: GatePlace, tree: str) -> None:
    """Make the place's files those of a tree. Raises ``CtoError``."""
    context.effects.crash_point("gate.place")
    if not pool_of(context).take(tree, place.tree, place.index, place.warm):
        checkout(context.git, tree, place.tree, place.index)
    context.effects.crash_point("gate.files")


def changed_files(context: Context, place: GatePlace) -> tuple[str, ...]:
    """Return which of the tree's files are not as they were written. Raises ``CtoError``.

    A file whose size and times were put back has a later ctime, and is read again.
    """
    look = partial(context.git.run, work_tree=place.tree, index=place.index)
    look("update-index", "-q", "--refresh", check=False)
    listed = look("diff-files", "--name-only", "-z", "--ignore-submodules=all").out
    return tuple(listed.decode("utf-8", "surrogateescape").split("\0")[:-1])


def give_back(context: Context, place: GatePlace, tree: str) -> None:
    """Let the pool have the files of a tree if it wants them and they prove clean."""
    if isolation_of(context).level not in TRUSTED:
        return
    with suppress(CtoError, OSError):
        pool = pool_of(context)
        if pool.set_aside(place.tree, place.index, place.warm):
            context.effects.crash_point("gate.aside")
            pool.put(tree, place.warm)


def clear_gates(context: Context) -> None:
    """Clear away what the gates of a killed run left, once their commands are gone.

    Only for who holds the team's run lock. Raises ``CtoError``.
    """
    for place in sorted(context.layout.gates.glob("*")):
        end_commands(place)
        throw(context.layout.trash, place)
