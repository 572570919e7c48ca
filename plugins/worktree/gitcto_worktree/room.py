"""A worker's room as a linked worktree on a branch of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    CtoError,
    RoomTips,
    checkout,
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
    """Makes linked worktrees, one at a time: ``git worktree add`` is not safe against itself."""

    def create(self, request: RoomRequest) -> None:
        """Make the room, or raise ``CtoError`` and leave nothing behind."""
        if request.path.exists() or request.path.is_symlink():
            raise CtoError(
                f"cannot make the room {request.path}: something stands there",
                "remove it, or look at it with `git worktree list`",
            )
        try:
            with _one_at_a_time(request.repository):
                _add(request)
                (entry,) = _entries_of(request.repository, request.path)
                _take_branch(request, entry)
            checkout(request.git, request.base, request.path, entry / "index")
        except BaseException:
            self.remove(request.repository, request.git, request.path)
            raise

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

    def remove(self, repository: Repository, git: Git, path: Path) -> None:  # noqa: ARG002
        """Remove the room, its branch and its entry, and nobody else's. Absent is fine."""
        discard(path)
        with _one_at_a_time(repository):
            for entry in _entries_of(repository, path):
                mark = entry / _MARK
                if mark.is_file():
                    _delete_branch(repository, mark.read_text(errors="surrogateescape"))
                discard(entry)


def _one_at_a_time(repository: Repository) -> AbstractContextManager[None]:
    return exclusive(repository.cto_dir / "worktrees.lock")


def _add(request: RoomRequest) -> None:
    """Add the worktree, detached and without files: git's checkout would run smudge filters."""
    arguments = ("worktree", "add", "--detach", "--no-checkout", str(request.path), request.base)
    plumbing(request.repository).run(*arguments)


def _take_branch(request: RoomRequest, entry: Path) -> None:
    """Make the branch here and not in ``git worktree add``, which may die between the two."""
    git, name = plumbing(request.repository), _free_branch(request)
    mark = entry / _MARK
    mark.write_text(name, errors="surrogateescape")
    try:
        git.run("update-ref", "--no-deref", name, request.base, "0" * len(request.base))
    except CtoError:
        mark.unlink()
        raise
    (entry / "HEAD").write_text(f"ref: {name}\n", errors="surrogateescape")


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
