"""Ignored files of a workspace that are to be kept all the same: a second tree beside the work."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors
from gitcto.git.process import trusted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.git.process import Git
    from gitcto.git.repository import Repository

MAX_FILE_BYTES = 64 << 20
"""Ignored files larger than this are not kept (bytes)."""

MAX_ALL_BYTES = 256 << 20
"""When ignored files come to more than this together, the rest is not kept (bytes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithIgnored:
    """A tree that holds the ignored files too, and the names of those that are not in it."""

    tree: str
    left: tuple[str, ...]


def with_ignored(
    repository: Repository, workspace: Path, tree: str, patterns: Sequence[str], scratch: Path
) -> WithIgnored:
    """Return ``tree`` with the workspace's ignored files that match git globs.

    Files that are too large or cannot be read are left out, and so is everything in a repository
    inside the workspace. ``scratch`` is a directory that no worker can write. All processes of
    the worker must have ended. Raises ``CtoError``.
    """
    git = trusted(repository)
    globs = [f":(top,glob){pattern}{end}" for pattern in patterns for end in ("", "/**")]
    with (
        storage_errors(f"use {scratch}"),
        tempfile.TemporaryDirectory(prefix="harvest.", dir=scratch) as private,
    ):
        index = Path(private) / "index"
        git.run("read-tree", tree, index=index)
        listing = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", *globs)
        out = git.run(*listing, work_tree=workspace, index=index).out
        names = out.decode("utf-8", "surrogateescape").split("\0")[:-1]
        taken, left = _chosen(workspace, names)
        return WithIgnored(tree=_added(git, workspace, index, taken), left=tuple(left))


def _chosen(workspace: Path, names: list[str]) -> tuple[list[str], list[str]]:
    taken: list[str] = []
    left: list[str] = []
    total = 0
    for name in names:
        path = workspace / name
        found = path.lstat()
        link = stat.S_ISLNK(found.st_mode)
        plain = link or (stat.S_ISREG(found.st_mode) and os.access(path, os.R_OK))
        fits = found.st_size <= MAX_FILE_BYTES and total + found.st_size <= MAX_ALL_BYTES
        if plain and fits:
            taken.append(name)
            total += found.st_size
        else:
            left.append(name)
    return taken, left


def _added(git: Git, workspace: Path, index: Path, names: list[str]) -> str:
    stdin = "".join(f"{name}\0" for name in names).encode("utf-8", "surrogateescape")
    if names:
        arguments = ("update-index", "--add", "-z", "--stdin")
        git.run(*arguments, stdin=stdin, work_tree=workspace, index=index)
    return git.run("write-tree", index=index).out.decode().strip()
