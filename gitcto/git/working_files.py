"""What stands in a checkout of the user's, compared with an index that was copied before.

Git itself compares: it knows which files are ignored, and reads only those whose stamp differs.
It runs in our own git directory, so that no filter, hook or monitor of the repository runs, on a
copy of the index, so that nothing of the user's is written.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitcto.git.identity import identity
from gitcto.git.process import plumbing
from gitcto.git.worktrees import main_checkout, path_of, worktree_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitcto.git.process import Git
    from gitcto.git.repository import Repository

GIT_DEADLINE_S = 120.0
"""How long git may look at a checkout (seconds): a pipe named ``.gitignore`` would hold it."""

_LISTING = ("ls-files", "-z", "-s", "-v", "-c", "-m", "-o", "--exclude-standard")
_MANY = 2000
_SMALL_BYTES = 1 << 20
_GITLINK = "160000"

TRACKED = "tracked "
"""What the record of a file begins with that the index knows."""

GONE = "absent"
"""What the record of such a file goes on with when it is not there."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree of the user's, and the git directory that belongs to it."""

    git_dir: Path
    path: Path


@dataclass(slots=True)
class WorkingFiles:
    """A checkout's files by absolute path.

    ``files`` are those that differ from the index, are not in it, or hide from git; ``modes`` those
    whose permissions are not the ``usual`` ones; ``stamps`` those that hold what they held and were
    still changed: times, owner, attributes; ``links`` what leads to the repositories of submodules.
    """

    files: dict[str, str] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    usual: tuple[str, ...] = ()
    stamps: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a later look needs of an earlier one at the same checkout.

    ``usual`` are the permissions that it found usual, none: find out now. ``taken_ns`` is when it
    was taken, by the clock of the file system.
    """

    usual: tuple[str, ...] = ()
    taken_ns: int | None = None


def checkouts(repository: Repository, ours: Path) -> list[Checkout]:
    """Return every checkout that is no room of ours; rooms lie below ``ours``."""
    main = main_checkout(repository)
    found = [Checkout(repository.common_dir, main)] if main is not None else []
    for entry in worktree_entries(repository):
        if (entry / "gitdir").is_file():
            path = path_of(entry)
            if path.is_dir() and not is_below(path, ours):
                found.append(Checkout(entry, path))
    return found


def is_below(path: Path, root: Path) -> bool:
    """Tell whether ``path`` lies below ``root``, by name or after following links."""
    return path.is_relative_to(root) or path.resolve().is_relative_to(root.resolve())


def copy_index(repository: Repository, git: Git, checkout: Checkout, to: Path) -> None:
    """Copy a checkout's index with its time, by which git knows which entries to distrust.

    A split index becomes a whole one, without the stamps that save git from reading the files: its
    other half is looked for in the git directory of whoever reads it.
    """
    import shutil

    to.unlink(missing_ok=True)
    if any(checkout.git_dir.glob("sharedindex.*")):
        whole = plumbing(repository).at(checkout.git_dir).run("ls-files", "-z", "-s").out
        git.run("update-index", "-z", "--index-info", stdin=whole, index=to)
        return
    with suppress(FileNotFoundError):  # before the first commit
        shutil.copy2(checkout.git_dir / "index", to)


def entries(git: Git, checkout: Checkout, index: Path) -> dict[str, str]:
    """Return what an index holds by absolute path: ``<flag> <mode> <id> <stage>``."""
    done = git.run("ls-files", "-z", "-s", "-v", work_tree=checkout.path, index=index)
    root = f"{checkout.path}/"
    rows = (row.partition("\t") for row in _split(done.out))
    return {root + path: facts for facts, _, path in rows}


def look(
    repository: Repository, git: Git, checkout: Checkout, index: Path, earlier: Earlier
) -> WorkingFiles:
    """Compare a checkout's files with an index, a copy of ours.

    Raises ``CtoError`` when git cannot read the index, or does not end.
    """
    seen = WorkingFiles(usual=earlier.usual)
    algorithm, root = repository.object_format, f"{checkout.path}/"
    others: list[str] = []
    tracked: dict[str, os.stat_result | None] = {}
    for row in _split(_listing(repository, git, checkout, index)):
        flag, _, rest = row.partition(" ")
        if flag == "?":
            others.append(root + rest)
            continue
        facts, _, name = rest.partition("\t")
        path = root + name
        if facts.startswith(_GITLINK):
            seen.links[f"{path}/.git"] = identity(f"{path}/.git", algorithm)
        if flag == "H":
            tracked[path] = _stat(path)
        elif flag == "C" or _stat(path):
            seen.files[path] = TRACKED + (identity(path, algorithm) or GONE)
    there = {path: found for path, found in tracked.items() if found is not None}
    _note_modes(seen, {path: found.st_mode for path, found in there.items()})
    if earlier.taken_ns is not None:
        seen.stamps = {
            path: str(found.st_ctime_ns)
            for path, found in there.items()
            if path not in seen.files and _restamped(found, earlier.taken_ns)
        }
    limit = _SMALL_BYTES if len(others) <= _MANY else -1
    for path in others:
        seen.files[path] = f"untracked {identity(path.rstrip('/'), algorithm, limit)}"
    for path in _top_files(checkout.path):
        if path not in tracked and path not in seen.files:
            seen.files[path] = f"ignored {identity(path, algorithm, _SMALL_BYTES)}"
    return seen


def _listing(repository: Repository, git: Git, checkout: Checkout, index: Path) -> bytes:
    exclude = repository.common_dir / "info" / "exclude"
    excludes = (f"--exclude-from={exclude}",) if exclude.is_file() else ()
    return git.run(
        *_LISTING, *excludes, work_tree=checkout.path, index=index, timeout_s=GIT_DEADLINE_S
    ).out


def _split(out: bytes) -> list[str]:
    return out.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _restamped(found: os.stat_result, since_ns: int) -> bool:
    """Tell whether a file was changed since, and claims that it was not.

    Writing a file sets both times; only the second one can be set back by its owner.
    """
    honest = since_ns <= found.st_mtime_ns <= found.st_ctime_ns
    return found.st_ctime_ns > since_ns and not honest


def _note_modes(seen: WorkingFiles, tracked: Mapping[str, int]) -> None:
    """Remember permissions that are unlike most; there is one usual mode for each kind of file."""
    if not seen.usual:
        seen.usual = tuple(f"{mode:o}" for mode in _usual(Counter(tracked.values())))
    usual = {int(mode, 8) for mode in seen.usual}
    seen.modes = {path: f"{mode:o}" for path, mode in tracked.items() if mode not in usual}


def _usual(counted: Counter[int]) -> Iterator[int]:
    kinds: set[tuple[int, bool]] = set()
    for mode, _ in counted.most_common():
        kind = (stat.S_IFMT(mode), bool(mode & stat.S_IXUSR))
        if kind not in kinds:
            kinds.add(kind)
            yield mode


def _top_files(path: Path) -> list[str]:
    """Return the files at the top: ignored ones among them are where people keep secrets."""
    try:
        with os.scandir(path) as found:
            return [each.path for each in found if each.is_file(follow_symlinks=False)]
    except OSError:
        return []
