"""Checking out only a part of a tree: folders with all that is in them, as in git's cone mode.

Files beside such a folder, and beside the folders above it, are there too; so are all files at the
top. What is not there is marked in the index, for git to take it as unchanged.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gitcto.git.process import Git

_GLOB = re.compile(r"[*?\[]")
_SPECIAL = re.compile(r"([*?\[\\])")
_UNSPEAKABLE = re.compile(r"\n|[ \t]$")
"""What a line of a sparse-checkout file cannot say."""


@dataclass(frozen=True)
class Cone:
    """The part of a tree that is checked out: whole ``folders``, and the files on the way there."""

    folders: tuple[str, ...]

    @cached_property
    def _above(self) -> frozenset[str]:
        return frozenset({"", *(above for folder in self.folders for above in _parents(folder))})

    def holds(self, path: str) -> bool:
        """Tell whether a file of the tree is checked out."""
        parent = path.rpartition("/")[0]
        return parent in self._above or any(
            parent == folder or parent.startswith(f"{folder}/") for folder in self.folders
        )

    def patterns(self) -> str:
        """Return the same as the content of git's ``info/sparse-checkout``."""
        lines = ["/*", "!/*/"]
        for above in sorted(self._above - {"", *self.folders}):
            lines += [f"/{_quoted(above)}/", f"!/{_quoted(above)}/*/"]
        lines += [f"/{_quoted(folder)}/" for folder in self.folders]
        return "".join(f"{line}\n" for line in lines)


def cone_of(git: Git, tree: str, globs: Iterable[str]) -> Cone | None:
    """Return the part of a tree in which paths matched by ``globs`` lie; None for all of it."""
    fixed = [_fixed_part(glob) for glob in globs]
    if not fixed or any(not part or _UNSPEAKABLE.search(part) for part in fixed):
        return None
    listed = git.run("ls-tree", "-z", "--full-tree", tree, "--", *fixed).out
    files = set()
    for entry in listed.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        kind, _, path = entry.partition("\t")
        if kind.split(" ")[1] != "tree":
            files.add(path)
    wanted = {part.rpartition("/")[0] if part in files else part for part in fixed} - {""}
    return Cone(tuple(sorted(x for x in wanted if not any(p in wanted for p in _parents(x)))))


def checkout_cone(git: Git, tree: str, destination: Path, index: Path, cone: Cone) -> None:
    """Write a part of a tree into ``destination``, absent or empty; ``index`` holds all of it.

    No filter runs, as with :func:`gitcto.git.trees.checkout`.
    """
    destination.mkdir(parents=True, exist_ok=True)
    git.run("read-tree", tree, index=index)
    listed = git.run("ls-files", "-z", index=index).out
    names = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    there = [name for name in names if cone.holds(name)]
    rest = sorted(set(names).difference(there))
    for arguments, paths in (
        (("update-index", "--skip-worktree", "-z", "--stdin"), rest),
        (("checkout-index", "--index", "--force", "-z", "--stdin"), there),
    ):
        stdin = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        git.run(*arguments, stdin=stdin, work_tree=destination, index=index)


def unseen(workspace: Path, cone: Cone, paths: Iterable[str]) -> frozenset[str]:
    """Return those of ``paths`` that were not checked out into a workspace, and still are absent.

    A path is not absent when something else stands in its way: then its absence was made.
    """
    kinds = {"": "folder"}
    return frozenset(
        path for path in paths if not cone.holds(path) and _kind(workspace, path, kinds) == ""
    )


def _kind(workspace: Path, path: str, kinds: dict[str, str]) -> str:
    """Say what is at a path without following links: nothing, a ``folder`` or ``other``."""
    known = kinds.get(path)
    if known is None:
        above = _kind(workspace, path.rpartition("/")[0], kinds)
        known = _look(workspace / path) if above == "folder" else above
        kinds[path] = known
    return known


def _look(path: Path) -> str:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return ""
    return "folder" if stat.S_ISDIR(mode) else "other"


def _fixed_part(glob: str) -> str:
    """Return the folders, or the file, that a glob names before its first wildcard."""
    parts: list[str] = []
    for part in glob.removeprefix("./").strip("/").split("/"):
        if _GLOB.search(part):
            break
        parts.append(part)
    return "" if parts == ["."] else "/".join(parts)


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def _quoted(path: str) -> str:
    return _SPECIAL.sub(r"\\\1", path)
