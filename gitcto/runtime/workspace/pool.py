"""A few trees of files kept warm: a room made from one costs what differs, not what there is.

A room gets here only after its work was taken up and its repository taken away. What is ours then
is the index that we made with the files, where no worker can write. A file that was changed since
has a later ctime, whatever its worker did to its size and mtime, and is written anew; git compares
the rest with the index. Names, modes, owners and links are looked at one by one. A tree that is not
like a new one is thrown away.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import replace_file
from gitcto.git.trees import changes
from gitcto.runtime.worker import processes
from gitcto.runtime.workspace.likeness import Doubt, expected, look_over, sweep_out
from gitcto.runtime.workspace.trash import throw

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.git.process import Git

LEAST_FILES = 1000
"""Fewer files than this are written faster than a kept tree is looked over."""

MARKER = "kept.json"
"""The file of a warm tree that is written last; it says what the tree is."""

_TREE, _INDEX, _STRAYS = "tree", "index", "strays"
_HEADER_BYTES = 12
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmTree:
    """A tree in the pool: the files of commit ``base``, which take ``size`` bytes on disk."""

    path: Path
    base: str
    size: int
    boot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """At most ``capacity`` trees below ``root``, shared by all processes; all on one file system.

    ``git`` runs in the trusted git directory. An ``aside`` is a path of the caller's own; who is
    killed leaves half-made things there and nowhere else.
    """

    root: Path
    trash: Path
    git: Git
    capacity: int
    least_files: int = LEAST_FILES

    def take(self, base: str, room: Path, index: Path, aside: Path) -> bool:
        """Make ``room`` the files of commit ``base``, and ``index`` match; False when not.

        Neither ``room`` nor ``index`` exists then.
        """
        for tree in sorted(self.trees(), key=lambda tree: tree.base != base):
            try:
                tree.path.rename(aside)
            except OSError:
                continue  # another process was faster, or it is another user's
            try:
                self._prove(aside)
                (aside / _TREE).rename(room)
                (aside / _INDEX).rename(index)
                self._move(tree.base, base, room, index)
            except (CtoError, OSError):
                throw(self.trash, room)
                index.unlink(missing_ok=True)
                throw(self.trash, aside)
                continue
            throw(self.trash, aside)
            return True
        return False

    def set_aside(self, room: Path, index: Path, aside: Path) -> bool:
        """Move a room and its index to ``aside`` if keeping it could pay; False when not.

        Raises ``OSError``; ``room`` is there as it was, or not at all.
        """
        worth = self._free_slots() and _files_in(index) >= self.least_files
        if not worth or room.is_symlink() or not room.is_dir():
            return False
        aside.mkdir()
        room.rename(aside / _TREE)
        index.rename(aside / _INDEX)
        return True

    def put(self, base: str, aside: Path) -> str:
        """Keep what was set aside, a room of commit ``base``, warm; say why not, or nothing.

        What is not kept stays where it is, for the caller to remove.
        """
        try:
            self._mark(base, self._renew(base, aside), aside)
        except (CtoError, OSError) as error:
            return str(error)
        for slot in self._free_slots():
            try:
                aside.rename(slot)
            except OSError:  # taken meanwhile
                continue
            return ""
        return "no place for it"

    def trees(self) -> tuple[WarmTree, ...]:
        """Return the trees that may be taken, the newest first; broken ones are thrown away."""
        slots = sorted(self.root.iterdir()) if self.root.is_dir() else []
        found = []
        for slot in slots:
            tree = _read(slot)
            if tree is None or tree.boot != _boot():
                with suppress(CtoError):
                    throw(self.trash, slot)
            else:
                found.append(tree)
        return tuple(sorted(found, key=_age, reverse=True))

    def _free_slots(self) -> list[Path]:
        self.root.mkdir(parents=True, exist_ok=True)
        slots = [self.root / str(number) for number in range(self.capacity)]
        return [slot for slot in slots if not slot.exists()]

    def _renew(self, base: str, aside: Path) -> int:
        """Make the tree like a new one and prove it; return its size. Raises ``Doubt``."""
        tree, index = aside / _TREE, aside / _INDEX
        listed = self.git.run("ls-files", "--stage", "-z", index=index).out
        wanted = expected(listed.decode("utf-8", "surrogateescape"))
        (aside / _STRAYS).mkdir()
        sweep_out(tree, wanted, index.stat().st_mtime_ns, aside / _STRAYS)
        reset = ("read-tree", "--reset", "-u", "--no-recurse-submodules", base)
        self.git.run(*reset, work_tree=tree, index=index)
        throw(self.trash, aside / _STRAYS)
        self._refresh(tree, index)
        return look_over(tree, wanted, like=aside)

    def _mark(self, base: str, size: int, aside: Path) -> None:
        marker = {"format": _FORMAT, "base": base, "size": size, "boot": _boot()}
        replace_file(aside / MARKER, json.dumps(marker).encode())

    def _prove(self, kept: Path) -> None:
        """Raise unless a kept tree still is what it was when it was marked."""
        tree, index = kept / _TREE, kept / _INDEX
        if os.path.lexists(tree / ".git"):
            raise Doubt("it is a repository")
        self._refresh(tree, index)
        listed = ("ls-files", "--others", "--directory", "-z")
        if self.git.run(*listed, work_tree=tree, index=index).out:
            raise Doubt("it holds other files")

    def _refresh(self, tree: Path, index: Path) -> None:
        done = self.git.run("update-index", "--refresh", check=False, work_tree=tree, index=index)
        if done.code != 0:
            raise Doubt(f"its files are not those of its index: {done.complaint}")

    def _move(self, old: str, new: str, room: Path, index: Path) -> None:
        """Update the files that differ. Attributes say how others are written: then all differ."""
        if old == new:
            return
        if any(x.path.rpartition("/")[2] == ".gitattributes" for x in changes(self.git, old, new)):
            raise Doubt("its files may be written differently now")
        update = ("read-tree", "-m", "-u", "--no-recurse-submodules", old, new)
        self.git.run(*update, work_tree=room, index=index)


def _read(slot: Path) -> WarmTree | None:
    try:
        marker = json.loads((slot / MARKER).read_bytes())
        if marker["format"] != _FORMAT:
            return None
        return WarmTree(
            path=slot, base=str(marker["base"]), size=int(marker["size"]), boot=marker["boot"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _age(tree: WarmTree) -> float:
    try:
        return (tree.path / MARKER).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _boot() -> str:
    """Return what changes when the machine starts anew: what was just written may be lost then."""
    return processes.start_of(1) or ""


def _files_in(index: Path) -> int:
    """Return how many files an index lists; its header says so."""
    try:
        with index.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return 0
    return int.from_bytes(header[8:], "big") if header.startswith(b"DIRC") else 0
