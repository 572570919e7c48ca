"""What the linked worktrees of a repository hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors
from gitcto.git.process import plumbing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.git.repository import Repository


def branches_in_use(repository: Repository) -> dict[str, Path]:
    """Return each branch that a worktree is on, or is rebasing or bisecting, and its path."""
    listed = plumbing(repository).run("worktree", "list", "--porcelain", "-z").out
    found: dict[str, Path] = {}
    for block in listed.decode("utf-8", "surrogateescape").split("\0\0"):
        fields = dict(line.partition(" ")[::2] for line in block.strip("\0").split("\0"))
        if "branch" in fields:
            found[fields["branch"]] = Path(fields["worktree"])
    with storage_errors("read the state of the worktrees"):
        for git_dir, path in _git_dirs(repository):
            for branch in _half_done(git_dir):
                found.setdefault(branch, path)
    return found


def worktree_entries(repository: Repository) -> list[Path]:
    """Return the administrative directories of the linked worktrees. Raises ``OSError``."""
    root = repository.common_dir / "worktrees"
    return sorted(root.iterdir()) if root.is_dir() else []


def path_of(entry: Path) -> Path:
    """Return where the worktree of an administrative directory lies. Raises ``OSError``."""
    raw = (entry / "gitdir").read_bytes().decode("utf-8", "surrogateescape")
    return (entry / raw.removesuffix("\n")).parent


def main_checkout(repository: Repository) -> Path | None:
    """Return the working tree that is not a linked one; None in a bare repository."""
    common = repository.common_dir
    if repository.git_dir == common:
        return repository.work_tree
    # Seen from a linked worktree, only its configuration tells a bare repository named .git.
    bare = re.search(rb"(?im)^\s*bare\s*=\s*true", (common / "config").read_bytes())
    return None if common.name != ".git" or bare else common.parent


def _git_dirs(repository: Repository) -> Iterator[tuple[Path, Path]]:
    common = repository.common_dir
    main = repository.work_tree if repository.git_dir == common else None
    yield common, main or (common.parent if common.name == ".git" else common)
    for entry in worktree_entries(repository):
        if (entry / "gitdir").is_file():
            yield entry, path_of(entry)


def _half_done(git_dir: Path) -> Iterator[str]:
    for state in ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"):
        file = git_dir / state
        if file.is_file():
            name = file.read_bytes().decode("utf-8", "surrogateescape").strip()
            yield name if name.startswith("refs/") else f"refs/heads/{name}"
    updates = git_dir / "rebase-merge/update-refs"
    if updates.is_file():
        lines = updates.read_bytes().decode("utf-8", "surrogateescape").split("\n")
        yield from (line for line in lines if line.startswith("refs/heads/"))
