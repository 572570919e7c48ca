"""A worker's room as a linked worktree on a branch of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    CtoError,
    Refs,
    RoomNeeds,
    RoomTips,
    discard,
    exclusive,
    plumbing,
    ref_ids,
    replace_file,
    sync_directory,
    written_ids,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gitcto.api import Git, Repository, RoomRequest

# Says which branch is ours to delete. HEAD does not: a worker may switch to another branch.
_MARK = "cto-branch"

# The same before the branch is made: until then the name may become somebody else's.
_PLAN = "cto-branch.planned"


class WorktreeRoom:
    """Makes linked worktrees as git does, but of files that are there, and safe against itself."""

    def create(self, request: RoomRequest) -> None:
        """Make the room a worktree, or raise ``CtoError`` and leave no trace of one."""
        try:
            with _one_at_a_time(request.repository):
                _link(request)
        except BaseException as error:
            self.release(request.repository, request.git, request.path)
            if isinstance(error, OSError):
                raise CtoError(
                    f"cannot link the room {request.path}: {error.strerror}",
                    "free some disk space, and see to it that no file `.git` is in the commit",
                ) from error
            raise

    def needs(self, repository: Repository, path: Path) -> RoomNeeds:
        """Return the whole git directory, to read, and the room's link to it, to stay."""
        return RoomNeeds(reads=(repository.common_dir,), fixed=(path / ".git",))

    def tips(self, repository: Repository, path: Path) -> RoomTips:
        """Return what the room's HEAD and its branch named: all other refs stay without it."""
        found: set[str] = set()
        for entry in _entries_of(repository, path):
            found |= written_ids(entry)
            _, name = _branch_of(entry / _MARK)
            if name:
                found |= ref_ids(repository.common_dir, name)
        return RoomTips(commits=frozenset(found))

    def release(self, repository: Repository, git: Git, path: Path) -> None:  # noqa: ARG002
        """Remove the room's link, its branch and its entry, and nobody else's. Absent is fine."""
        discard(path / ".git")
        with _one_at_a_time(repository):
            discard(_made_aside(repository, path))
            for entry in _entries_of(repository, path):
                _delete_branch(repository, entry)
                discard(entry)


def _one_at_a_time(repository: Repository) -> AbstractContextManager[None]:
    return exclusive(repository.cto_dir / "worktrees.lock")


def _link(request: RoomRequest) -> None:
    """Make the entry aside and rename it: ``git worktree prune`` would remove a half-made one."""
    repository, name = request.repository, _free_branch(request)
    entry = _entry_of(repository, request.path)
    made = _made_aside(repository, request.path)
    discard(made)
    made.mkdir(parents=True)
    for file, text in (
        ("commondir", "../..\n"),
        ("gitdir", f"{request.path / '.git'}\n"),
        ("HEAD", f"ref: {name}\n"),
        (_PLAN, f"{request.base} {name}"),
    ):
        replace_file(made / file, text.encode(errors="surrogateescape"))
    shutil.copyfile(request.index, made / "index")
    sync_directory(made)
    with (request.path / ".git").open("x", errors="surrogateescape") as link:
        link.write(f"gitdir: {entry}\n")
    entry.parent.mkdir(exist_ok=True)
    made.rename(entry)
    # No power cut leaves a branch of which nothing says that it is ours.
    sync_directory(entry.parent)
    sync_directory(repository.common_dir)
    _make_branch(request, entry, name)


def _entry_of(repository: Repository, path: Path) -> Path:
    """Return the entry of a room; its name is used once, as is the directory a room lies in."""
    return repository.common_dir / "worktrees" / f"{path.parent.name}.{path.name}"


def _made_aside(repository: Repository, path: Path) -> Path:
    return repository.cto_dir / f"worktree.{_entry_of(repository, path).name}"


def _make_branch(request: RoomRequest, entry: Path, name: str) -> None:
    if not Refs(request.repository).compare_and_swap(name, None, request.base):
        (entry / _PLAN).unlink()
        raise CtoError(f"{name} was just made by somebody else", "run the command again")
    (entry / _PLAN).rename(entry / _MARK)


def _free_branch(request: RoomRequest) -> str:
    """Return the branch asked for, with a number when an earlier attempt's room still has it."""
    git, wanted = plumbing(request.repository), f"refs/heads/{request.branch}"
    taken = set(git.text("for-each-ref", "--format=%(refname)", f"{wanted}*").split("\n"))
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)


def _delete_branch(repository: Repository, entry: Path) -> None:
    """Delete the branch that an entry says is ours, if it was made.

    One that was only planned is there when a kill came before the mark; it is at our base then.
    Otherwise it is somebody else's, and stays.
    """
    refs = Refs(repository)
    _, name = _branch_of(entry / _MARK)
    held = refs.read(name) if name else None
    if held is not None:
        refs.delete(name, held)
    base, name = _branch_of(entry / _PLAN)
    if name:
        refs.delete(name, base)


def _branch_of(mark: Path) -> tuple[str, str]:
    """Return the base and the branch that a mark names; nothing when there is no such mark."""
    if not mark.is_file():
        return "", ""
    base, _, name = mark.read_text(errors="surrogateescape").partition(" ")
    return (base, name) if name.startswith("refs/heads/") else ("", "")


def _entries_of(repository: Repository, path: Path) -> list[Path]:
    """Return the entries in ``worktrees/`` that belong to the room at ``path``.

    Also one whose removal was cut short: it has the room's name, whatever is left in it.
    """
    entry = _entry_of(repository, path)
    found = []
    for other in entry.parent.iterdir() if entry.parent.is_dir() else ():
        link = other / "gitdir"
        if other.name in {entry.name, f".{entry.name}.removing"}:
            found.append(other)
        elif link.is_file() and link.stat().st_size:
            raw = link.read_text(errors="surrogateescape").removesuffix("\n")
            if (other / raw).parent.resolve() == path.parent.resolve() / path.name:
                found.append(other)
    return found
