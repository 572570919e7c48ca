"""Comparing, merging and checking out trees: always through :func:`gitcto.git.process.trusted`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.git.change import Change
from gitcto.git.durable import storage_errors
from gitcto.git.process import GitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitcto.git.process import Completed, Git

_SYNTHETIC = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "git-cto"), ("EMAIL", "git-cto@invalid"), ("DATE", "@0 +0000"))
}


@dataclass(frozen=True, slots=True)
class Merged:
    """Both sides fit together: ``tree`` is the object id of the result."""

    tree: str


@dataclass(frozen=True, slots=True)
class Conflicted:
    """Both sides changed the same things: the paths, and git's words for each, one per line."""

    paths: tuple[str, ...]
    detail: str


def merge_tree(git: Git, base: str, ours: str, theirs: str) -> Merged | Conflicted:
    """Merge two commits from ``base``, all three object ids, without a checkout.

    Raises ``GitError`` for anything but a clean merge or a conflict, a missing object for example.
    """
    if ours == base:
        return Merged(git.text("rev-parse", "--verify", "--end-of-options", f"{theirs}^{{tree}}"))
    bases = git.run("merge-base", "--all", ours, theirs, check=False)
    if bases.out.decode().split() != [base]:
        # Before git 2.40 merge-tree finds the base by itself: give it a history with one answer.
        base = commit_of(git, base)
        ours, theirs = commit_of(git, ours, base), commit_of(git, theirs, base)
    arguments = ("merge-tree", "--write-tree", "-z", "--name-only", "--messages", ours, theirs)
    done = git.run(*arguments, check=False)
    if done.code not in {0, 1}:
        raise GitError(arguments, done)
    tree, *rest = done.out.decode("utf-8", "surrogateescape").split("\0")
    if done.code == 0:
        return Merged(tree.strip())
    end = rest.index("")
    return Conflicted(tuple(sorted(set(rest[:end]))), _conflict_messages(rest[end + 1 :]))


def commit_of(git: Git, content: str, *parents: str) -> str:
    """Return a new commit by nobody of what a commit or tree holds: for a merge, never to stay."""
    arguments = [part for parent in parents for part in ("-p", parent)]
    made = git.run("commit-tree", *arguments, "-m", "merge", f"{content}^{{tree}}", env=_SYNTHETIC)
    return made.out.decode().strip()


def _conflict_messages(fields: list[str]) -> str:
    """Read ``<count> NUL (<path> NUL)* <type> NUL <message> NUL`` records; keep the conflicts."""
    messages: list[str] = []
    at = 0
    while at < len(fields) and fields[at].isdigit():
        at += int(fields[at]) + 1
        if fields[at].startswith("CONFLICT"):
            messages.append(" ".join(fields[at + 1].split()))
        at += 2
    return "\n".join(messages)


def changes(git: Git, old_tree: str, new_tree: str) -> tuple[Change, ...]:
    """Return what differs between two trees or commits, by path, without guessing at renames.

    ``mode`` is the new mode, and the old one of a deleted path.
    """
    arguments = ("diff-tree", "-r", "-z", "--no-renames", "--ignore-submodules=none")
    done = git.run(*arguments, "--end-of-options", old_tree, new_tree)
    fields = done.out.decode("utf-8", "surrogateescape").split("\0")[:-1]
    found = []
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, _, _, status = meta.removeprefix(":").split(" ")
        mode = old_mode if status == "D" else new_mode
        found.append(Change(status=status, path=path, mode=mode))
    return tuple(found)


def patch(git: Git, old: str, new: str) -> bytes:
    """Return the difference as a binary-safe patch that ``git apply`` takes."""
    options = ("--no-ext-diff", "--no-textconv", "--binary", "--full-index", "--no-renames")
    more = ("--no-color", "--ignore-submodules=none", "--submodule=short")
    arguments = ("diff-tree", "-r", "-p", *options, *more)
    return git.run(*arguments, "--end-of-options", old, new).out


def stat(git: Git, old: str, new: str) -> str:
    """Return the difference in a few lines for a person: files, lines and a total."""
    options = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--stat=80")
    arguments = ("diff-tree", "-r", *options, "--ignore-submodules=none", "--end-of-options")
    return git.run(*arguments, old, new).out.decode("utf-8", "surrogateescape")


def changed_lines(git: Git, old: str, new: str) -> int:
    """Return how many lines a change adds and removes; binary files have none."""
    options = ("--no-ext-diff", "--no-textconv", "--no-renames", "--numstat", "-z")
    arguments = ("diff-tree", "-r", *options, "--ignore-submodules=all", "--end-of-options")
    rows = git.run(*arguments, old, new).out.split(b"\0")[:-1]
    counts = (count for row in rows for count in row.split(b"\t", 2)[:2])
    return sum(int(count) for count in counts if count.isdigit())


def subjects_of(git: Git, tip: str, since: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the first lines of the newest commits of ``since..tip`` that touch one of ``paths``.

    At most five, the newest first; none without paths.
    """
    if not paths:
        return ()
    options = ("--no-show-signature", "--max-count=5", "--format=%s", "-z")
    literal = [f":(literal,top){path}" for path in paths]
    arguments = ("log", *options, *_range(tip, since), "--", *literal)
    out = git.run(*arguments).out.decode("utf-8", "replace")
    return tuple(line for line in out.split("\0") if line)


def paths_of(git: Git, tree: str) -> tuple[str, ...]:
    """Return the paths of all files of a tree or commit."""
    listed = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree).out
    return tuple(os.fsdecode(path) for path in listed.split(b"\0") if path)


def checkout(git: Git, tree: str, destination: Path, index: Path) -> None:
    """Write a tree's files into ``destination``, absent or empty, and make ``index`` match them.

    No filter runs: content kept by git-lfs stays a pointer. End-of-line attributes are honoured.
    """
    with storage_errors(f"make {destination}"):
        destination.mkdir(parents=True, exist_ok=True)
    arguments = ("read-tree", "--reset", "-u", "--no-recurse-submodules", tree)
    git.run(*arguments, work_tree=destination, index=index)


def is_ancestor(git: Git, older: str, newer: str) -> bool:
    """Tell whether ``newer`` contains ``older`` (a commit contains itself)."""
    arguments = ("merge-base", "--is-ancestor", older, newer)
    return _yes_or_no(arguments, git.run(*arguments, check=False))


def commit_count(git: Git, tip: str, since: str | None) -> int:
    """Return how many commits ``tip`` has that ``since`` has not."""
    return int(git.text("rev-list", "--count", *_range(tip, since)))


def find_trailer(git: Git, tip: str, since: str | None, key: str, value: str) -> str | None:
    """Return the newest commit of ``since..tip`` with the trailer ``key: value``, or None."""
    pretty = f"--format=%H%n%(trailers:key={key},valueonly,unfold,separator=%x0A)"
    search = ("--fixed-strings", f"--grep={value}")
    out = git.run("log", "-z", "--no-show-signature", pretty, *search, *_range(tip, since)).out
    for record in out.decode("utf-8", "replace").split("\0"):
        commit, *values = record.split("\n")
        if value in values:
            return commit
    return None


def _range(tip: str, since: str | None) -> tuple[str, ...]:
    return ("--end-of-options", tip) if since is None else ("--end-of-options", tip, f"^{since}")


def _yes_or_no(arguments: tuple[str, ...], done: Completed) -> bool:
    if done.code not in {0, 1}:
        raise GitError(arguments, done)
    return done.code == 0
