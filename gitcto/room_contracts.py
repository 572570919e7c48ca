"""The contracts of rooms and sandboxes: where a worker works, and what keeps it there.

Like those in :mod:`gitcto.contracts`, every call is contained by the core.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.contracts import Probe
    from gitcto.git.process import Git
    from gitcto.git.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRequest:
    """Make the directory ``path``, which holds the files of ``base``, a worker's room.

    ``index`` is an index file that matches these files, to be copied, never to be given away;
    ``git`` runs in the trusted git directory; ``branch`` is the short name of the branch the
    worker sees. ``sparse`` is the content of ``info/sparse-checkout`` (cone mode) when not all
    files are there; the index says of the others already that they are left out.
    """

    repository: Repository
    git: Git
    path: Path
    base: str
    branch: str
    index: Path
    sparse: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomNeeds:
    """What a sandbox must leave to the worker of a room, besides the room itself.

    ``reads`` are paths in the repository that it must be able to read (borrowed objects);
    ``fixed`` paths in the room that it must not be able to change (a linked worktree's ``.git``).
    """

    reads: tuple[Path, ...] = ()
    fixed: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomTips:
    """What a worker may have committed in its room: ids of commits, and where their objects lie.

    ``objects`` is the room's own object directory, None when they are in the repository's. It is
    never trusted: only loose objects and packs in it are read, each is checked.
    """

    commits: frozenset[str] = frozenset()
    objects: Path | None = None


class RoomMaker(Protocol):
    """Gives a directory of files a repository, and takes it away. Constructed without arguments.

    The files are the core's: it checks them out before and removes them afterwards.
    """

    def create(self, request: RoomRequest) -> None:
        """Give the room its repository, or raise ``CtoError`` and leave no trace of one."""

    def needs(self, repository: Repository, path: Path) -> RoomNeeds:
        """Return what of the repository the worker of a room must see, and must not change."""

    def tips(self, repository: Repository, path: Path) -> RoomTips:
        """Return every commit that removing the room could make unreachable.

        Too many do no harm: the core leaves out what the base contains. Reads the worker's files
        without running git, and raises ``CtoError`` when they cannot be read, so that the room
        stays. A room that is absent, or without commits, has none.
        """

    def release(self, repository: Repository, git: Git, path: Path) -> None:
        """Take away what makes the room a repository: its ``.git`` and each trace in ours.

        The room's other files stay. Absent is fine.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfineRequest:
    """A program to keep in its room: ``argv`` with exactly ``env``, started in ``cwd``.

    It may write below ``writes``, but never ``fixed`` paths in them. It can read the system's
    programs and below ``reads``; of ``hides`` it sees nothing else. Without a ``proxy`` it has no
    network; ``proxy`` is the unix socket of a proxy that lets it reach what policy allows, for
    :func:`gitcto.api.forwarded`. ``ports`` are those of the machine's own loopback among it: a
    sandbox whose network is its own offers them at the same address inside. ``run_dir`` is a
    directory of ours that the program cannot see.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    writes: tuple[Path, ...]
    reads: tuple[Path, ...] = ()
    fixed: tuple[Path, ...] = ()
    hides: tuple[Path, ...] = ()
    proxy: Path | None = None
    ports: tuple[int, ...] = ()
    run_dir: Path

    def tools(self) -> Iterator[Path]:
        """Yield where the program's own programs are looked for, and the program itself."""
        search, name = self.env.get("PATH", os.defpath), self.argv[0]
        program = name if "/" in name else shutil.which(name, path=search)
        for place in (*search.split(os.pathsep), program or ""):
            if place.startswith("/"):
                yield Path(place).resolve()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confined:
    """What to start instead: the program inside its sandbox. Raised limits come on top of it."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


class Confiner(Protocol):
    """Keeps a program in its room. Constructed without arguments."""

    def available(self, host_env: Mapping[str, str]) -> Probe:
        """Tell whether this machine has what the sandbox needs, without running an attack.

        :param host_env: the environment git-cto was started in, for ``PATH``.
        """

    def confine(self, request: ConfineRequest) -> Confined:
        """Return how to start the program. Raises ``CtoError`` when that cannot be done.

        Called once for each process; must not start one itself.
        """
