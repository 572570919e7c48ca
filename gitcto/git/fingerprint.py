"""What a repository looks like to its owner, so that a later look can tell what changed.

Everything is read without running anything that the repository configures, and without writing to
it. A fingerprint is a table of surfaces (``hook``, ``ref``, ``file``, ...), each a table of names
with what told the thing apart.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.identity import UNREADABLE, identity
from gitcto.git.refs import Refs
from gitcto.git.working_files import (
    Checkout,
    Earlier,
    checkouts,
    copy_index,
    is_below,
    look,
)
from gitcto.git.worktrees import path_of, worktree_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.git.process import Git
    from gitcto.git.repository import Repository

OUR_BRANCHES = "refs/heads/cto/"
"""Where branches of ours are made and deleted all the time: of rooms, and what teams land on."""

_OUR_REFS = "refs/cto/"
_KEPT = re.compile(r"refs/cto/teams/[^/]+/preserved/")
_HOOKS_PATH = re.compile(r"(?im)^\s*hookspath\s*=\s*\"?([^\"\n]+?)\"?\s*$")

Facts = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What was seen: surface to name to what it was like."""

    facts: Mapping[str, Mapping[str, str]]

    def encode(self) -> bytes:
        """Return it as JSON; names that are not UTF-8 survive."""
        return json.dumps(self.facts, sort_keys=True).encode()

    @classmethod
    def decode(cls, data: bytes) -> Fingerprint:
        """Read what :meth:`encode` wrote. Raises ``ValueError`` for anything else."""
        facts = json.loads(data)
        if not isinstance(facts, dict) or not all(isinstance(x, dict) for x in facts.values()):
            raise ValueError("this is no fingerprint")
        return cls(facts)

    def of(self, surface: str) -> Mapping[str, str]:
        """Return one surface; empty when nothing was seen of it."""
        return self.facts.get(surface, {})

    def checkouts(self) -> list[Checkout]:
        """Return the checkouts that were looked at, always in one order."""
        found = sorted(self.of("checkout").items())
        return [Checkout(Path(name), Path(path)) for name, path in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How to look: ``ours`` holds rooms, which are not the user's; ``target`` is landed on.

    Copies of indexes are kept in ``indexes``. With ``since``, an earlier look whose copies are in
    ``since_indexes``, files are compared with those.
    """

    repository: Repository
    git: Git
    ours: Path
    target: str
    indexes: Path
    since: Fingerprint | None = None
    since_indexes: Path | None = None

    def after(self, since: Fingerprint, since_indexes: Path) -> Look:
        """Return a later look at the same."""
        return replace(self, since=since, since_indexes=since_indexes)


def take(how: Look) -> Fingerprint:
    """Look at the whole repository. Raises ``CtoError`` when its index cannot be read by git.

    What cannot be read otherwise is remembered as unreadable, which is a difference later.
    """
    repository = how.repository
    common = repository.common_dir
    facts: Facts = {name: {} for name in ("hook", "config", "info", "entry", "state", "log")}
    there = [Checkout(common, common), *checkouts(repository, how.ours)]
    facts["checkout"] = {str(one.git_dir): str(one.path) for one in there[1:]}
    facts["entry"][str(common)] = _inode(common)
    _git_dir(facts, common, repository.object_format, [one.path for one in there[1:]])
    for module in _modules(common / "modules"):
        _git_dir(facts, module, repository.object_format, [])
    for entry in worktree_entries(repository):
        if (entry / "gitdir").is_file() and not is_below(path_of(entry), how.ours):
            _linked(facts, entry, repository.object_format)
    _trusted(facts, how.git.git_dir, repository.object_format)
    _refs(facts, repository, how.target)
    _logs(facts, common)
    _working_files(facts, how)
    return Fingerprint(facts)


def _git_dir(facts: Facts, git_dir: Path, algorithm: str, tops: list[Path]) -> None:
    """Note what makes git run something, or changes what it sees, in one git directory."""
    config = git_dir / "config"
    facts["config"][str(config)] = text = _text(config)
    own = next(iter(_HOOKS_PATH.findall(text)), "")
    folders = [git_dir / "hooks", *(top / own for top in tops if own)]
    for folder in folders:
        facts["hook"] |= _files(folder, algorithm)
    facts["info"] |= _files(git_dir / "info", algorithm)
    for name in ("alternates", "http-alternates"):
        facts["info"][f"{git_dir}/objects/info/{name}"] = identity(
            f"{git_dir}/objects/info/{name}", algorithm
        )
    for name in ("HEAD", "shallow"):
        facts["state"][f"{git_dir}/{name}"] = _text(git_dir / name)


def _linked(facts: Facts, entry: Path, algorithm: str) -> None:
    """Note the administrative directory of a linked worktree and the link that leads to it."""
    for name in ("gitdir", "commondir"):
        facts["entry"][f"{entry}/{name}"] = _text(entry / name)
    link = path_of(entry) / ".git"
    facts["entry"][str(link)] = identity(str(link), algorithm)
    facts["config"][f"{entry}/config.worktree"] = _text(entry / "config.worktree")
    facts["info"] |= _files(entry / "info", algorithm)
    facts["state"][f"{entry}/HEAD"] = _text(entry / "HEAD")
    for path in _below(entry / "logs"):
        facts["log"][path] = _size(path)


def _trusted(facts: Facts, git_dir: Path, algorithm: str) -> None:
    """Note what would make our own git run something."""
    facts["hook"] |= _files(git_dir / "hooks", algorithm)
    facts["info"] |= _files(git_dir / "info", algorithm)
    facts["info"][f"{git_dir}/config"] = identity(f"{git_dir}/config", algorithm)


def _refs(facts: Facts, repository: Repository, target: str) -> None:
    try:
        found = Refs(repository).list("refs/")
    except CtoError as error:
        facts["ref"] = {"refs/": f"{UNREADABLE}: {error.message}"}
        facts["kept"] = {}
        return
    facts["ref"] = {
        name: oid
        for name, oid in found.items()
        if name == target or not name.startswith((_OUR_REFS, OUR_BRANCHES))
    }
    facts["kept"] = {name: oid for name, oid in found.items() if _KEPT.match(name)}


def _logs(facts: Facts, common: Path) -> None:
    root = f"{common}/logs/"
    for path in _below(common / "logs"):
        if not path.removeprefix(root).startswith((_OUR_REFS, OUR_BRANCHES)):
            facts["log"][path] = _size(path)


def _working_files(facts: Facts, how: Look) -> None:
    """Note the files and the index of every checkout; of those seen before when there was one."""
    since = how.since
    facts |= {name: {} for name in ("index", "file", "mode", "stamp", "usual")}
    for number, checkout in enumerate((since or Fingerprint(facts)).checkouts()):
        name = str(checkout.git_dir)
        copy = how.indexes / f"index.{number}"
        copy_index(how.repository, how.git, checkout, copy)
        facts["index"][name] = _digest(copy)
        against, earlier = copy, Earlier()
        if since is not None and how.since_indexes is not None:
            against = how.since_indexes / copy.name
            taken_ns = against.stat().st_ctime_ns if against.exists() else None
            earlier = Earlier(tuple(since.of("usual").get(name, "").split()), taken_ns)
        seen = look(how.repository, how.git, checkout, against, earlier)
        facts["usual"][name] = " ".join(seen.usual)
        facts["file"] |= seen.files
        facts["mode"] |= seen.modes
        facts["stamp"] |= seen.stamps
        facts["entry"] |= seen.links


def _modules(root: Path) -> Iterator[Path]:
    """Yield the git directories of submodules; their names may hold slashes."""
    if not root.is_dir() or root.is_symlink():
        return
    for path in sorted(root.iterdir()):
        if (path / "HEAD").is_file():
            yield path
            yield from _modules(path / "modules")
        elif path.is_dir() and not path.is_symlink():
            yield from _modules(path)


def _files(folder: Path, algorithm: str) -> dict[str, str]:
    """Return what stands in a folder itself: git looks no deeper for a hook."""
    try:
        paths = sorted(str(path) for path in folder.iterdir())
    except OSError:
        return {}
    return {path: identity(path, algorithm) for path in paths}


def _below(folder: Path) -> list[str]:
    """Return every file below a folder, without following links."""
    return [f"{at}/{name}" for at, _, names in os.walk(folder) for name in names]


def _text(path: Path) -> str:
    """Return a small file's bytes as text; what is no file is told by what it is."""
    if path.is_symlink() or not path.is_file():
        return identity(str(path), "sha1")
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return UNREADABLE


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def _size(path: str) -> str:
    try:
        return str(Path(path).lstat().st_size)
    except OSError:
        return UNREADABLE


def _inode(path: Path) -> str:
    found = path.stat()
    return f"{found.st_dev} {found.st_ino}"
