"""Taking commits out of a room whose worker may have prepared its repository against us.

Which commits there are is read from files, without git. Their objects are then fetched, but not
from the worker's repository: from one of ours that holds links to its packs and loose objects and
nothing else of it, so that no configuration, hook, alternate, index or graph of the worker counts.
All processes of the worker must have ended.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.process import bare, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitcto.git.process import Git
    from gitcto.git.repository import Repository

MAX_TAKEN_BYTES = 1 << 30
"""How much a worker's commits may weigh, compressed, to be taken (bytes)."""

MAX_READ_BYTES = 64 << 20
"""How much of a worker's refs and reflogs is read (bytes); with more, the room is kept."""

_DEADLINE_S = 600.0
_ID = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
_FAN_OUT = re.compile(r"[0-9a-f]{2}")
_PACK = re.compile(r"pack-[0-9a-f]+\.(?:pack|idx)")
_AUTOSTASHES = ("MERGE_AUTOSTASH", "rebase-merge/autostash", "rebase-apply/autostash")
"""Where git keeps what it stashed for the time of a rebase or merge: no ref has it until then."""

_SOURCE_CONFIG = """\
[uploadpack]
\tallowAnySHA1InWant = true
[core]
\tcommitGraph = false
\tmultiPackIndex = false
[pack]
\tuseBitmaps = false
"""


class TipsRefused(CtoError):  # noqa: N818  # a verdict on the room, not a fault of ours
    """What a worker committed cannot be taken over safely; its room must stay."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the worker's commits cannot be taken over: {what}",
            "look at the room's repository, then take over or delete what is meant by hand",
        )


def written_ids(git_dir: Path) -> frozenset[str]:
    """Return every object id in a git directory's HEADs, refs, stashes and reflogs.

    Reads files without following links; absent is fine. Raises :class:`TipsRefused` for what is
    no file of git's, for too much of it and for refs in another format.
    """
    reading = _Reading()
    with storage_errors(f"read {git_dir}"):
        reading.git_dir(git_dir)
        worktrees = git_dir / "worktrees"
        for name in reading.names(worktrees):
            reading.git_dir(worktrees / name)
    return frozenset(reading.found)


def ref_ids(git_dir: Path, name: str) -> frozenset[str]:
    """Return the object ids that one ref (``refs/heads/x``) has, and had as far as its log says.

    Reads files as :func:`written_ids` does.
    """
    reading = _Reading()
    with storage_errors(f"read {git_dir}"):
        for path in (git_dir / name, git_dir / "logs" / name):
            reading.file(path)
        packed = git_dir / "packed-refs"
        lines = packed.read_bytes().splitlines() if packed.is_file() else []
    wanted = b" " + name.encode("utf-8", "surrogateescape")
    ids = {line.partition(b" ")[0].decode() for line in lines if line.endswith(wanted)}
    return frozenset(reading.found | ids)


class _Reading:
    """Reads a bounded amount of a worker's files; ``found`` are the object ids in them."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._left = MAX_READ_BYTES

    def git_dir(self, git_dir: Path) -> None:
        names = self.names(git_dir)
        if "reftable" in names:
            raise TipsRefused(f"{git_dir} keeps its refs in another format")
        for name in ("HEAD", "ORIG_HEAD", "packed-refs"):
            if name in names:
                self.file(git_dir / name)
        for name in ("refs", "logs"):
            if name in names:
                self._tree(git_dir / name)
        for name in _AUTOSTASHES:
            path = git_dir / name
            if path.name in self.names(path.parent):
                self.file(path)

    def names(self, directory: Path) -> list[str]:
        """List a directory; nothing when it is absent."""
        try:
            kind = directory.lstat().st_mode
        except FileNotFoundError:
            return []
        if not stat.S_ISDIR(kind):
            raise TipsRefused(f"{directory} is no directory")
        return sorted(os.listdir(directory))  # noqa: PTH208  # names are wanted

    def _tree(self, root: Path) -> None:
        pending = [root]
        while pending:
            directory = pending.pop()
            for name in self.names(directory):
                path = directory / name
                if stat.S_ISDIR(path.lstat().st_mode):
                    pending.append(path)
                else:
                    self.file(path)

    def file(self, path: Path) -> None:
        """Find the ids in a file; nothing when it is absent."""
        try:
            kind = path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(kind):
            raise TipsRefused(f"{path} is no file")
        with path.open("rb") as file:
            content = file.read(self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise TipsRefused("there are too many refs and reflogs")
        self.found |= {each.decode() for each in _ID.findall(content)}


def take_tips(
    repository: Repository, commits: Iterable[str], base: str, objects: Path | None, scratch: Path
) -> tuple[str, ...]:
    """Bring commits and all they need into the repository; return the newest of each line.

    ``commits`` that do not exist or that ``base`` contains are left out, as is what another one
    contains. With ``objects`` None they are in the repository already. ``scratch`` is a directory
    that no worker can write. The objects are durable; it is for the caller to make refs.
    Raises :class:`TipsRefused`, or ``CtoError`` when the machine fails.
    """
    if objects is None:
        return _newest(trusted(repository), commits, base)
    with storage_errors(f"use {scratch}"):
        scratch.mkdir(parents=True, exist_ok=True)
        with _two_repositories(repository, base, objects, scratch) as (source, target):
            tips = _newest(source, commits, base)
            if tips:
                _fetch(source, target, tips, base)
            return tips


def _newest(git: Git, commits: Iterable[str], base: str) -> tuple[str, ...]:
    """Return the commits that no other one contains; their number is small, whatever was done."""
    asked = "\n".join([*sorted(commits), f"^{base}", ""])
    listed = _checked(git, "rev-list", "--ignore-missing", "--parents", "--stdin", stdin=asked)
    rows = [line.split() for line in listed.splitlines()]
    parents = {parent for row in rows for parent in row[1:]}
    return tuple(sorted(row[0] for row in rows if row[0] not in parents))


def _fetch(source: Git, target: Git, tips: tuple[str, ...], base: str) -> None:
    asked = "\n".join([*tips, f"^{base}", ""])
    weight = int(_checked(source, "rev-list", "--objects", "--disk-usage", "--stdin", stdin=asked))
    if weight > MAX_TAKEN_BYTES:
        raise TipsRefused(f"they weigh {weight >> 20} MiB, and {MAX_TAKEN_BYTES >> 20} are taken")
    quiet = (
        "--quiet",
        "--update-shallow",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
    )
    fetch = ("fetch", *quiet, "--no-recurse-submodules", "--stdin", "--end-of-options")
    _checked(target, *fetch, str(source.git_dir), stdin="".join(f"{tip}\n" for tip in tips))


def _checked(git: Git, *arguments: str, stdin: str) -> str:
    done = git.run(*arguments, stdin=stdin.encode(), check=False, timeout_s=_DEADLINE_S)
    if done.code != 0:
        raise TipsRefused(f"git {arguments[0]}: {done.complaint}")
    return done.out.decode().strip()


@contextmanager
def _two_repositories(
    repository: Repository, base: str, objects: Path, scratch: Path
) -> Iterator[tuple[Git, Git]]:
    """Make one repository with the room's objects, and one with ours that has ``base`` as a ref.

    The second is not the trusted one, because git must know where to stop: without a ref it would
    fetch, and afterwards walk, the whole history.
    """
    with tempfile.TemporaryDirectory(prefix="tips.", dir=scratch) as made:
        git = trusted(repository)
        source = Path(made) / "source.git"
        bare(repository, source, _SOURCE_CONFIG)
        _link_objects(objects, source / "objects")
        shallow = repository.common_dir / "shallow"
        (source / "objects/info").mkdir()
        (source / "objects/info/alternates").write_text(
            f"{repository.objects}\n", errors="surrogateescape"
        )
        target = Path(made) / "target.git"
        bare(repository, target, "[fetch]\n\tfsckObjects = true\n\tunpackLimit = 1\n")
        (target / "refs/base").write_text(f"{base}\n")
        for each in (source, target) if shallow.exists() else ():
            shutil.copyfile(shallow, each / "shallow")
        taking = replace(git, git_dir=target, shallow=None, file_transport=True)
        yield git.at(source), taking


def _link_objects(theirs: Path, ours: Path) -> None:
    """Link loose objects' directories and packs, not what git keeps beside them."""
    reading = _Reading()
    for name in reading.names(theirs):
        if _FAN_OUT.fullmatch(name):
            (ours / name).symlink_to(theirs / name)
    (ours / "pack").mkdir()
    for name in reading.names(theirs / "pack"):
        if _PACK.fullmatch(name):
            (ours / "pack" / name).symlink_to(theirs / "pack" / name)
