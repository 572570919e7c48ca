"""Made-up git: trees are files by path, commits are records, ids are digests of what they name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from gitcto.git.change import Change

Files = Mapping[str, str]


def digest(*parts: str) -> str:
    """Return an id that looks like git's."""
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit: its tree, its first parent, and the trailers that name its origin."""

    tree: str
    parent: str
    subject: str = ""
    execution: str = ""
    task: str = ""
    depth: int = 0


class History:
    """Objects of every clone: what one writes no other needs to be given."""

    def __init__(self) -> None:
        self.trees: dict[str, Files] = {}
        self.commits: dict[str, Commit] = {}
        self._changes: dict[tuple[str, str], tuple[Change, ...]] = {}

    def tree(self, files: Files) -> str:
        """Write a tree."""
        oid = digest("tree", *(f"{path}={files[path]}" for path in sorted(files)))
        self.trees.setdefault(oid, dict(files))
        return oid

    def commit(
        self, tree: str, parent: str, subject: str, trailers: tuple[str, str] = ("", "")
    ) -> str:
        """Write a commit; ``trailers`` are its execution and its task."""
        oid = digest("commit", tree, parent, subject, *trailers)
        if oid not in self.commits:
            depth = self.commits[parent].depth + 1 if parent else 0
            self.commits[oid] = Commit(
                tree=tree,
                parent=parent,
                subject=subject,
                execution=trailers[0],
                task=trailers[1],
                depth=depth,
            )
        return oid

    def files(self, oid: str) -> Files:
        """Return the files of a tree or a commit."""
        commit = self.commits.get(oid)
        return self.trees[commit.tree if commit else oid]

    def contains(self, newer: str, older: str) -> bool:
        """Tell whether a commit has another in its history, or is it."""
        if older not in self.commits or newer not in self.commits:
            return False
        depth = self.commits[older].depth
        while self.commits[newer].depth > depth:
            newer = self.commits[newer].parent
        return newer == older

    def since(self, tip: str, base: str) -> list[tuple[str, Commit]]:
        """Return the commits of ``base..tip``, the newest first."""
        found = []
        while tip and tip != base and tip in self.commits:
            commit = self.commits[tip]
            found.append((tip, commit))
            tip = commit.parent
        return found

    def changes(self, old: str, new: str) -> tuple[Change, ...]:
        """Return what differs between two trees or commits, by path."""
        key = (old, new)
        if key not in self._changes:
            self._changes[key] = self._compared(self.files(old), self.files(new))
        return self._changes[key]

    @staticmethod
    def _compared(before: Files, after: Files) -> tuple[Change, ...]:
        found = []
        for path in sorted({*before, *after}):
            if before.get(path) != after.get(path):
                status = "A" if path not in before else "D" if path not in after else "M"
                found.append(Change(status=status, path=path, mode="100644"))
        return tuple(found)

    def merge(self, base: str, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
        """Merge two commits from a base; return the tree, or nothing and the paths in conflict."""
        a, b, c = self.files(base), self.files(ours), self.files(theirs)
        merged: dict[str, str] = {}
        conflicts = []
        for path in sorted({*a, *b, *c}):
            was, mine, other = a.get(path), b.get(path), c.get(path)
            if mine not in (was, other) and other != was:
                conflicts.append(path)
            chosen = other if mine == was else mine
            if chosen is not None:
                merged[path] = chosen
        return ("", tuple(conflicts)) if conflicts else (self.tree(merged), ())
