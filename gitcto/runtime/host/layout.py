"""Where a team's things lie: refs in the repository, records beside it, rooms outside it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from gitcto.errors import CtoError
from gitcto.git.durable import replace_file, storage_errors
from gitcto.git.repository import Repository

ROOT_RECORD = "rooms-root"
"""The file among git-cto's own that says where the rooms lie; absent before the first run."""

_WORKER = ".worker"


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and places of one team. ``rooms_root`` is outside every repository."""

    repository: Repository
    team: str
    rooms_root: Path

    @property
    def home(self) -> Path:
        """The team's directory in the common git directory."""
        return self.repository.cto_dir / "teams" / self.team

    @property
    def run_lock(self) -> Path:
        """Held by the one orchestrator that runs this team in this clone."""
        return self.home / "run.lock"

    @property
    def executions(self) -> Path:
        """Holds one directory of process records per execution that is not settled."""
        return self.home / "executions"

    def records(self, execution: str) -> Path:
        """Return the directory of an execution's process records and output."""
        return self.executions / execution

    @property
    def rooms(self) -> Path:
        """Holds one directory per execution that is not settled, with its room in it."""
        return self.rooms_root / self.team

    def place(self, execution: str) -> Path:
        """Return the directory that holds an execution's room and scratch space."""
        return self.rooms / execution

    def room(self, execution: str) -> Path:
        """Return an execution's workspace."""
        return self.place(execution) / "room"

    def scratch(self, execution: str) -> Path:
        """Return an execution's private directory outside its workspace."""
        return self.place(execution) / "scratch"

    def index(self, execution: str) -> Path:
        """Return the index that matches a room's files as we checked them out."""
        return self.place(execution) / "room.index"

    def private(self, execution: str) -> Path:
        """Return a directory for an execution's worker that the worker itself cannot see."""
        return self.place(execution) / "private"

    def left_behind(self, execution: str) -> Path:
        """Return the file that names what of an execution's room was not taken up."""
        return self.place(execution) / "left.json"

    @property
    def looks(self) -> Path:
        """Holds what was outside the rooms of executions before their workers started."""
        return self.home / "outside"

    def outside(self, execution: str) -> Path:
        """Return where is kept what was outside an execution's room before its worker started."""
        return self.looks / execution

    def warm(self, execution: str) -> Path:
        """Return where an execution's room is on its way into the pool, or out of it."""
        return self.place(execution) / "warm"

    def cone(self, execution: str) -> Path:
        """Return the file that says which part of its files an execution's room holds."""
        return self.place(execution) / "cone.json"

    @property
    def pool(self) -> Path:
        """Holds trees of files for the next rooms; shared by all teams."""
        return self.rooms_root / ".pool"

    @property
    def gates(self) -> Path:
        """Holds one directory per gate that is judging, of one team."""
        return self.rooms_root / ".gates" / self.team

    @property
    def setups(self) -> Path:
        """Holds what set-up commands made, each under what it depends on; shared by all teams."""
        return self.rooms_root / ".setups"

    @property
    def trash(self) -> Path:
        """Holds what is being deleted, of all teams."""
        return self.rooms_root / ".trash"

    @property
    def ports(self) -> Path:
        """Holds one file per block of ports in use, of all repositories that keep rooms here."""
        return self.rooms_root.parent / ".ports"

    @property
    def execution_prefix(self) -> str:
        """The prefix of the refs that keep unsettled work."""
        return f"refs/cto/teams/{self.team}/executions/"

    @property
    def preserved_prefix(self) -> str:
        """The prefix of the refs that keep work which did not land."""
        return f"refs/cto/teams/{self.team}/preserved/"

    def execution_ref(self, execution: str) -> str:
        """Return the ref that pins an attempt's base, and then its work, until it is settled."""
        return self.execution_prefix + execution

    def preserved_ref(self, execution: str) -> str:
        """Return the ref that keeps an attempt's work after it failed."""
        return self.preserved_prefix + execution

    def tip_ref(self, execution: str, commit: str) -> str:
        """Return the ref that keeps a commit its worker made: ``preserved/<id>.worker/<commit>``.

        A directory of its own, because git cannot have ``preserved/<id>`` and ``preserved/<id>/x``;
        named by what it holds, so that taking it up again makes the same ref.
        """
        return f"{self.preserved_prefix}{execution}{_WORKER}/{commit}"

    def kept_for(self, ref: str) -> str:
        """Return the execution whose work a ref under :attr:`preserved_prefix` keeps."""
        return execution_of(ref.removeprefix(self.preserved_prefix).partition("/")[0])

    def places(self, execution: str) -> tuple[str, ...]:
        """Return the names of an execution's rooms that are there, its own last."""
        return _belonging(self.rooms, execution)

    def runs(self, execution: str) -> tuple[str, ...]:
        """Return the names of an execution's runs that left records, or looks at what is outside.

        One that was killed before it began has no records. The first one is the last.
        """
        found = {*_belonging(self.executions, execution), *_belonging(self.looks, execution)}
        return tuple(sorted(found, reverse=True))


def execution_of(name: str) -> str:
    """Return the execution that a room, a run or a ref with this name belongs to.

    Its own are named by its id; those of its other seats and steps ``ID.NAME``.
    """
    return name.partition(".")[0]


def _belonging(folder: Path, execution: str) -> tuple[str, ...]:
    if not folder.is_dir():
        return ()
    names = (path.name for path in folder.iterdir())
    return tuple(sorted((name for name in names if execution_of(name) == execution), reverse=True))


def settled_root(repository: Repository, proposed: Path) -> Path:
    """Return where the rooms of a repository lie: where they lay at its first use.

    A run in another environment would not find the rooms of a killed one otherwise. The first
    caller decides for all, with ``proposed``. A repository that was moved keeps its rooms; a copy
    of one gets its own. Raises ``CtoError`` when the place decided on cannot be used here.
    """
    record = repository.cto_dir / ROOT_RECORD
    own = os.fsencode(repository.common_dir)
    mine = own + b"\n" + os.fsencode(proposed) + b"\n"
    owner, root = _recorded(record) or _first(record, mine) or (own, proposed)
    if owner != own:
        copied = Path(os.fsdecode(owner)).exists()
        root = proposed if copied else root
        replace_file(record, own + b"\n" + os.fsencode(root) + b"\n")
    if root != proposed and not _is_usable(root):
        raise CtoError(
            f"the rooms of this repository lie in {root}, which cannot be used here",
            f"run this as the user and on the machine that made them; if nothing there is needed "
            f"any more, delete {record}",
        )
    return root


def _recorded(record: Path) -> tuple[bytes, Path] | None:
    """Return the git directory a record was made for, and the root; None when there is none."""
    try:
        owner, root = record.read_bytes().splitlines()
    except (FileNotFoundError, ValueError):
        return None
    return owner, Path(os.fsdecode(root))


def _first(record: Path, content: bytes) -> tuple[bytes, Path] | None:
    """Write the record down unless another process has done so; return what holds now."""
    import tempfile  # costs a command that only looks more than its look

    with storage_errors(f"write {record}"):
        record.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=record.parent) as fresh:
            fresh.write(content)
            fresh.flush()
            os.fsync(fresh.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(fresh.name, record)
    return _recorded(record)


def _is_usable(root: Path) -> bool:
    """Tell whether rooms can be made at a path, or below what there is of it."""
    while not root.exists():
        root = root.parent
    return root.is_dir() and os.access(root, os.W_OK | os.X_OK)
