"""A worker's room as a linked worktree with a detached HEAD."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import CtoError, checkout, discard, exclusive, plumbing

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gitcto.api import Git, Repository, RoomRequest


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
                # Without a checkout: git's own would run the repository's smudge filters.
                plumbing(request.repository).run(
                    *("worktree", "add", "--detach", "--no-checkout"),
                    *(str(request.path), request.base),
                )
            (entry,) = _entries_of(request.repository, request.path)
            checkout(request.git, request.base, request.path, entry / "index")
        except BaseException:
            self.remove(request.repository, request.git, request.path)
            raise

    def remove(self, repository: Repository, git: Git, path: Path) -> None:  # noqa: ARG002
        """Remove the room and its entry, and no other entry. Absent is fine."""
        discard(path)
        with _one_at_a_time(repository):
            for entry in _entries_of(repository, path):
                discard(entry)


def _one_at_a_time(repository: Repository) -> AbstractContextManager[None]:
    return exclusive(repository.cto_dir / "worktrees.lock")


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
