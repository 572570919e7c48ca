"""A worker's room as a linked worktree on a branch of its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    CtoError,
    RoomNeeds,
    RoomTips,
    discard,
    exclusive,
    plumbing,
    ref_ids,
    written_ids,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gitcto.api import Git, Repository, RoomRequest

# Says which branch is ours to delete. HEAD does not: a worker may switch to another branch.
_MARK = "cto-branch"


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
            mark = entry / _MARK
            if mark.is_file():
                name = mark.read_text(errors="surrogateescape")
                found |= ref_ids(repository.common_dir, name)
        return RoomTips(commits=frozenset(found))

    def release(self, repository: Repository, git: Git, path: Path) -> None:  # noqa: ARG002
        """Remove the room's link, its branch and its entry, and nobody else's. Absent is fine."""
        discard(path / ".git")
        with _one_at_a_time(repository):
            for entry in _entries_of(repository, path):
                mark = entry / _MARK
                if mark.is_file():
                    _delete_branch(repository, mark.read_text(errors="surrogateescape"))
                discard(entry)


def _one_at_a_time(repository: Repository) -> AbstractContextManager[None]:
    return exclusive(repository.cto_dir / "worktrees.lock")


def _link(request: RoomRequest) -> None:
    """Make the entry aside and rename it: ``git worktree prune`` would remove a half-made one."""
    repository, name = request.repository, _free_branch(request)
    root = repository.common_dir / "worktrees"
    entry = root / _entry_name(request.path)
    made = repository.cto_dir / f"worktree.{entry.name}"
    discard(made)
    made.mkdir(parents=True)
    for file, text in (
        ("commondir", "../.."),
        ("gitdir", str(request.path / ".git")),
        ("HEAD", f"ref: {name}"),
        (_MARK, name),
    ):
        end = "" if file == _MARK else "\n"
        (made / file).write_text(text + end, errors="surrogateescape")
    shutil.copyfile(request.index, made / "index")
    with (request.path / ".git").open("x", errors="surrogateescape") as link:
        link.write(f"gitdir: {entry}\n")
    root.mkdir(exist_ok=True)
    made.rename(entry)
    _make_branch(request, entry, name)


def _entry_name(path: Path) -> str:
    """Return a name that no two rooms share: rooms lie in directories that are not used twice."""
    return f"{path.parent.name}.{path.name}"


def _make_branch(request: RoomRequest, entry: Path, name: str) -> None:
    git = plumbing(request.repository)
    try:
        git.run("update-ref", "--no-deref", name, request.base, "0" * len(request.base))
    except CtoError:
        (entry / _MARK).unlink()
        raise


def _free_branch(request: RoomRequest) -> str:
    """Return the branch asked for, with a number when an earlier attempt's room still has it."""
    git, wanted = plumbing(request.repository), f"refs/heads/{request.branch}"
    taken = set(git.text("for-each-ref", "--format=%(refname)", f"{wanted}*").split("\n"))
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *numbered) if name not in taken)


def _delete_branch(repository: Repository, name: str) -> None:
    if name.startswith("refs/heads/"):
        plumbing(repository).run("update-ref", "--no-deref", "-d", name)


def _entries_of(repository: Repository, path: Path) -> list[Path]:
    """Return the entries in ``worktrees/`` that belong to the room at ``path``.

    An entry that names no worktree was left by a killed ``git worktree add``; it belongs to the
    room whose name it has, because names of rooms are not used twice.
    """
    root = repository.common_dir / "worktrees"
    found = []
    for entry in root.iterdir() if root.is_dir() else ():
        link = entry / "gitdir"
        if link.is_file() and link.stat().st_size:
            raw = link.read_text(errors="surrogateescape").removesuffix("\n")
            if (entry / raw).parent.resolve() == path.parent.resolve() / path.name:
                found.append(entry)
        elif entry.name.lstrip(".").removesuffix(".removing") == path.name:
            found.append(entry)
    return found
