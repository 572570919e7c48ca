"""Taking work out of a workspace that its worker may have prepared against us.

The files are read by git in our own git directory with an index of our own. The worker's ``.git``
is never read, so none of its hooks, filters, drivers, excludes or settings count. What git itself
would stumble over (a repository inside the tree, names that mean ``.git`` on some file system) is
found beforehand and refused. All processes of the worker must have ended.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.lfs import keep_large, pointer_of, unclean
from gitcto.git.process import Git, GitError, trusted
from gitcto.git.sparse import Cone, unseen
from gitcto.git.trees import changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.git.change import Change
    from gitcto.git.lfs import CleanLarge
    from gitcto.git.repository import Repository

GITLINK_MODE = "160000"

# Code points that HFS+ leaves out when it compares names (git's utf8.c).
_IGNORED_BY_HFS = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)
_MEANS_GIT = re.compile(r"(?:\.git|git~1)[ .]*(?::.*|\\.*)?", re.DOTALL)
_MEANS_GITMODULES = re.compile(r"(?:\.gitmodules|gitmod~[1-4])[ .]*(?::.*)?", re.DOTALL)
_NOT_ITS_FAULT = re.compile(rb"No space left|quota exceeded|Read-only file system|Input/output")


class HarvestRefused(CtoError):  # noqa: N818  # a verdict on the work, not a fault of ours
    """The workspace holds something that cannot be taken over safely.

    ``reason`` is one of ``nested_repository``, ``special_file``, ``unsafe_name``, ``unreadable``,
    ``submodule_changed``, ``no_workspace``, ``lfs_missing``, ``lfs_failed``; ``paths`` are relative
    to the workspace.
    """

    def __init__(self, reason: str, what: str, *paths: str) -> None:
        shown = ", ".join(repr(path) for path in paths[:3])
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""  # noqa: PLR2004
        super().__init__(
            f"the work cannot be taken over: {what}" + (f": {shown}{more}" if paths else ""),
            "the workspace is kept; remove the named paths there or retry the task",
        )
        self.reason = reason
        self.paths = paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvested:
    """The workspace as a tree, its difference from the base, and what was left behind.

    ``dropped`` names what stands in the workspace and is not taken: special files and
    repositories in ignored directories, and the contents of submodules.
    """

    tree: str
    changes: tuple[Change, ...]
    dropped: tuple[str, ...]


def harvest(  # noqa: PLR0913  # each is one thing a harvest is given
    repository: Repository,
    workspace: Path,
    base: str,
    scratch: Path,
    *,
    cone: Cone | None = None,
    clean: CleanLarge | None = None,
) -> Harvested:
    """Return the workspace's files (without ignored ones) as a tree on top of commit ``base``.

    ``scratch`` is a directory that no worker can write. Submodules stay as they are in ``base``,
    and so does what was not checked out because only ``cone`` was. Changed files that belong to
    git-lfs are taken as the pointers that ``clean`` makes of them.
    Raises ``HarvestRefused``, or ``CtoError`` when the machine fails.
    """
    if workspace.is_symlink() or not workspace.is_dir():
        raise HarvestRefused("no_workspace", "it is no directory", str(workspace))
    with storage_errors(f"use {scratch}"):
        scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="harvest.", dir=scratch) as private:
            taking = Taking(trusted(repository), workspace, Path(private) / "index")
            taken = taking.take(base, cone)
            pointers = taking.pointers(repository, taken, clean)
            return taking.again(base, taken, pointers) if pointers else taken


@dataclass(slots=True)
class _Suspects:
    """What the walk over the files found, as paths relative to the workspace."""

    repositories: list[str]
    special: list[str]


class Taking:
    """One harvest: trusted git, the workspace and the private index."""

    def __init__(self, git: Git, workspace: Path, index: Path) -> None:
        self._git = git
        self._workspace = workspace
        self._index = index
        self._attributes = False

    def take(self, base: str, cone: Cone | None) -> Harvested:
        """Return the files on top of ``base``, as :func:`harvest` does, but for git-lfs."""
        self._run("read-tree", base)
        listing = self._run("ls-files", "--stage", "-z")
        entries = listing.decode("utf-8", "surrogateescape").split("\0")[:-1]
        self._attributes = any(map(_names_attributes, entries))
        paths = [entry.partition("\t")[2] for entry in entries]
        gitlinks = [entry for entry in entries if entry.startswith(GITLINK_MODE)]
        submodules = {entry.partition("\t")[2] for entry in gitlinks}
        buried = [path for path in sorted(submodules) if _is_buried(self._workspace, path)]
        if buried:
            what = "a file stands where a directory with a submodule belongs"
            raise HarvestRefused("submodule_changed", what, *buried)
        suspects = _inspect(self._workspace, submodules)
        dropped = self._judge(suspects, paths)
        absent = unseen(self._workspace, cone, paths) if cone else frozenset()
        left = [entry for entry in entries if entry.partition("\t")[2] in absent]
        self._add([*gitlinks, *left], submodules)
        tree = self._run("write-tree").decode().strip()
        found = changes(self._git, base, tree)
        linked = [change.path for change in found if change.mode == GITLINK_MODE]
        if linked:
            raise HarvestRefused("submodule_changed", "a submodule was changed", *linked)
        filled = [path for path in sorted(submodules) if _is_filled(self._workspace / path)]
        return Harvested(tree=tree, changes=found, dropped=(*dropped, *filled))

    def pointers(
        self, repository: Repository, taken: Harvested, clean: CleanLarge | None
    ) -> dict[str, bytes]:
        """Return the pointers of changed large files, whose contents are in the store then."""
        files = [x.path for x in taken.changes if x.status != "D" and x.mode.startswith("100")]
        if not self._attributes and not any(map(_names_attributes, files)):
            return {}
        large = unclean(self._git, self._workspace, self._index, files)
        if not large:
            return {}
        if clean is None:
            raise HarvestRefused("lfs_missing", "these files belong to git-lfs", *large)
        said = clean(self._workspace, large)
        for path in large:
            pointer = pointer_of(said.get(path, b""))
            if pointer is None or not keep_large(repository, self._workspace / path, pointer):
                what = "git-lfs made a pointer that does not describe the file"
                raise HarvestRefused("lfs_failed", what, path)
        return {path: said[path] for path in large}

    def again(self, base: str, taken: Harvested, pointers: Mapping[str, bytes]) -> Harvested:
        """Return the harvest with pointers in the place of large files."""
        modes = {change.path: change.mode for change in taken.changes}
        rows = []
        for path, pointer in pointers.items():
            blob = self._run("hash-object", "-w", "--stdin", stdin=pointer).decode().strip()
            rows.append(f"{modes[path]} {blob}\t{path}\0")
        stdin = "".join(rows).encode("utf-8", "surrogateescape")
        self._run("update-index", "-z", "--index-info", stdin=stdin)
        tree = self._run("write-tree").decode().strip()
        return replace(taken, tree=tree, changes=changes(self._git, base, tree))

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        return self._git.run(
            *arguments, stdin=stdin, work_tree=self._workspace, index=self._index
        ).out

    def _judge(self, suspects: _Suspects, tracked: list[str]) -> list[str]:
        """Refuse what is not ignored; return what is, because git never looks at it."""
        paths = [*suspects.repositories, *suspects.special]
        if not paths:
            return []
        # git would read it to tell what is ignored, and wait for ever for somebody who writes.
        endless = [path for path in suspects.special if _names_excludes(path)]
        if endless:
            raise HarvestRefused("special_file", "its list of ignored files is no file", *endless)
        ignored = self._ignored(paths)
        repositories = [
            path
            for path in suspects.repositories
            if path not in ignored or any(name.startswith(path + "/") for name in tracked)
        ]
        if repositories:
            raise HarvestRefused(
                "nested_repository", "it holds a repository of its own", *repositories
            )
        special = [path for path in suspects.special if path not in ignored]
        if special:
            raise HarvestRefused("special_file", "it holds a device, socket or pipe", *special)
        return paths

    def _ignored(self, paths: list[str]) -> set[str]:
        stdin = "".join(f"./{path}\0" for path in paths).encode("utf-8", "surrogateescape")
        done = self._git.run(
            *("check-ignore", "-z", "--stdin"),
            stdin=stdin,
            check=False,
            work_tree=self._workspace,
            index=self._index,
        )
        if done.code not in {0, 1}:
            raise GitError(("check-ignore",), done)
        names = done.out.decode("utf-8", "surrogateescape").split("\0")
        return {name.removeprefix("./") for name in names if name}

    def _add(self, left: list[str], submodules: set[str]) -> None:
        """Add every file; git must not even look at what is ``left``, so it leaves the index."""
        arguments = ["add", "--all", "--no-warn-embedded-repo", "--", "."]
        arguments += [f":(exclude,top,literal){path}" for path in sorted(submodules)]
        if left:
            names = "".join(entry.partition("\t")[2] + "\0" for entry in left)
            removal = names.encode("utf-8", "surrogateescape")
            self._run("update-index", "--force-remove", "-z", "--stdin", stdin=removal)
        try:
            self._run(*arguments)
        except GitError as error:
            if _NOT_ITS_FAULT.search(error.completed.err):
                raise
            complaint = error.completed.complaint
            raise HarvestRefused("unreadable", f"git cannot read it ({complaint})") from error
        if left:
            again = "".join(f"{entry}\0" for entry in left).encode("utf-8", "surrogateescape")
            self._run("update-index", "-z", "--index-info", stdin=again)


def _inspect(workspace: Path, submodules: set[str]) -> _Suspects:
    """Walk the workspace without following links, staying out of submodules."""
    suspects = _Suspects([], [])
    unsafe: list[str] = []
    pending = [""]
    while pending:
        directory = pending.pop()
        for entry in _scan(workspace, directory):
            path = f"{directory}/{entry.name}" if directory else entry.name
            if path == ".git" or path in submodules:
                continue
            if means_git(entry.name):
                suspects.repositories.append(directory or entry.name)
            elif entry.is_symlink():
                if _MEANS_GITMODULES.fullmatch(_folded(entry.name)):
                    unsafe.append(path)
            elif entry.is_dir(follow_symlinks=False):
                pending.append(path)
            elif not entry.is_file(follow_symlinks=False):
                suspects.special.append(path)
    if unsafe:
        raise HarvestRefused("unsafe_name", "git refuses such a link", *unsafe)
    return suspects


def _names_excludes(path: str) -> bool:
    return _folded(path.rpartition("/")[2]) == ".gitignore"


def _scan(workspace: Path, directory: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(workspace / directory) as entries:
            yield from entries
    except OSError as error:
        what = f"a directory cannot be read ({error.strerror})"
        raise HarvestRefused("unreadable", what, directory[-200:]) from error


def _names_attributes(path: str) -> bool:
    return path.endswith(".gitattributes")


def means_git(name: str) -> bool:
    """Tell whether some file system takes this name for ``.git``."""
    return _MEANS_GIT.fullmatch(_folded(name)) is not None


def _folded(name: str) -> str:
    return (name if name.isascii() else name.translate(_IGNORED_BY_HFS)).casefold()


def _is_buried(workspace: Path, submodule: str) -> bool:
    above = [workspace / parent for parent in Path(submodule).parents]
    return any(path.is_symlink() or path.is_file() for path in above)


def _is_filled(path: Path) -> bool:
    if path.is_symlink() or path.is_file():
        return True
    return path.is_dir() and any(path.iterdir())
