"""A model of a disk: what may be on it after a power cut, given what was written and synced.

Names and contents are kept apart, as file systems do. What was synced is there: a file's content
after ``fsync`` of the file, a name after ``fsync`` of its directory. Of all else any part may be
there: a name without its content, a content without its name, half a write.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BLOCK = 512
_LAST = 8

Kind = Literal["name", "data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step that a disk may have taken or not.

    For a ``name``: ``add`` and ``drop`` are the paths that appear and go, as pairs of directory
    and name, for ``node``. For ``data``: ``data`` is written into ``node`` at ``offset``, or the
    node is cut or extended to ``size``.
    """

    kind: Kind
    node: int
    add: tuple[int, str] | None = None
    drop: tuple[int, str] | None = None
    folder: bool = False
    offset: int = 0
    data: bytes = b""
    size: int | None = None


@dataclass(slots=True)
class Tree:
    """What a disk holds: directories by node, each from name to node, and files' contents."""

    folders: dict[int, dict[str, int]] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    root: int = 0

    def copy(self) -> Tree:
        """Return a tree that changes by itself."""
        return Tree({key: dict(names) for key, names in self.folders.items()}, dict(self.files))

    def find(self, path: str) -> int | None:
        """Return the node at a path relative to the root, or None."""
        node = self.root
        for part in path.split("/") if path else ():
            names = self.folders.get(node)
            if names is None or part not in names:
                return None
            node = names[part]
        return node

    def place(self, path: str) -> tuple[int, str] | None:
        """Return the directory and the name that a path means, or None without the directory."""
        above, _, name = path.rpartition("/")
        folder = self.find(above)
        return None if folder is None else (folder, name)

    def take(self, change: Change) -> None:
        """Carry out a change as far as it applies."""
        if change.kind == "data":
            self.files[change.node] = _written(self.files.get(change.node, b""), change)
            return
        if change.folder:
            self.folders.setdefault(change.node, {})
        elif change.add is not None:
            self.files.setdefault(change.node, b"")
        if change.add is not None and change.add[0] in self.folders:
            self.folders[change.add[0]][change.add[1]] = change.node
        if change.drop is not None:
            names = self.folders.get(change.drop[0], {})
            if names.get(change.drop[1]) == change.node:
                del names[change.drop[1]]

    def paths(self) -> dict[str, int]:
        """Return every path that can be reached, with a slash at the end of directories."""
        found: dict[str, int] = {}
        pending = [("", self.root)]
        while pending:
            above, folder = pending.pop()
            for name, node in self.folders[folder].items():
                path = f"{above}{name}"
                if node in self.folders:
                    found[f"{path}/"] = node
                    pending.append((f"{path}/", node))
                else:
                    found[path] = node
        return found

    def contents(self) -> dict[str, bytes]:
        """Return every file by its path, and every directory as an empty one ending in a slash."""
        return {path: self.files.get(node, b"") for path, node in self.paths().items()}


def _written(content: bytes, change: Change) -> bytes:
    if change.size is not None:
        return content[: change.size].ljust(change.size, b"\0")
    before = content[: change.offset].ljust(change.offset, b"\0")
    return before + change.data + content[change.offset + len(change.data) :]


@dataclass(slots=True)
class Journal:
    """Changes in the order they were made, and from which moment each is synced.

    A moment is a number of steps: changes, syncs and acknowledgements.
    """

    changes: list[tuple[int, Change]] = field(default_factory=list)
    synced: dict[int, int] = field(default_factory=dict)
    acknowledged: list[tuple[int, str]] = field(default_factory=list)
    moment: int = 0

    def change(self, change: Change, *, synced: bool = False) -> None:
        """Note a change, which may be on the disk at once."""
        self.moment += 1
        self.changes.append((self.moment, change))
        if synced:
            self.synced[self.moment] = self.moment

    def sync(self, node: int) -> None:
        """Note that a file's content, or a directory's names, are on the disk now."""
        self.moment += 1
        for made, change in self.changes:
            if node in _settled_by(change):
                self.synced.setdefault(made, self.moment)

    def acknowledge(self, text: str) -> None:
        """Note that something was promised to be kept."""
        self.moment += 1
        self.acknowledged.append((self.moment, text))

    def promised(self, moment: int) -> tuple[str, ...]:
        """Return what was acknowledged up to a moment."""
        return tuple(text for when, text in self.acknowledged if when <= moment)

    def is_promise(self, moment: int) -> bool:
        """Tell whether something was acknowledged at a moment, or everything was done by then."""
        return moment == self.moment or any(when == moment for when, _ in self.acknowledged)

    def states(self, moment: int) -> Iterator[tuple[str, list[Change]]]:
        """Yield the changes that a disk may hold when the power goes at a moment, with a name.

        Everything that is not synced is there, or nothing of it; all but one change, or one alone;
        the names without the contents, and the contents without the names; one write torn. Where
        nothing was promised just now, single changes are the last few only.
        """
        made = [(at, change) for at, change in self.changes if at <= moment]
        loose = [at for at, _ in made if self.synced.get(at, moment + 1) > moment]
        kept = {at for at, _ in made} - set(loose)
        kinds: dict[int, Kind] = {at: change.kind for at, change in made}
        choices: dict[str, set[int]] = {"all": set(loose), "none": set()}
        choices["names only"] = {at for at in loose if kinds[at] == "name"}
        choices["contents only"] = {at for at in loose if kinds[at] == "data"}
        single = loose if self.is_promise(moment) else loose[-_LAST:]
        for at in single:
            choices[f"all but {at}"] = set(loose) - {at}
            choices[f"only {at}"] = {at}
        for name, chosen in choices.items():
            yield name, [change for at, change in made if at in kept | chosen]
        for torn in (at for at in single if kinds[at] == "data"):
            for length in _lengths(dict(made)[torn]):
                yield f"{torn} torn at {length}", _torn(made, torn, length)


def _settled_by(change: Change) -> tuple[int, ...]:
    """Return the nodes whose sync makes a change durable: one that moves needs where it goes."""
    if change.kind == "data":
        return (change.node,)
    where = change.add or change.drop
    return () if where is None else (where[0],)


def _lengths(change: Change) -> Sequence[int]:
    size = len(change.data)
    return sorted({size // 2, size // _BLOCK * _BLOCK} - {0, size})


def _torn(made: Sequence[tuple[int, Change]], torn: int, length: int) -> list[Change]:
    return [
        replace(change, data=change.data[:length]) if at == torn else change for at, change in made
    ]


def tree_of(files: Mapping[str, bytes]) -> Tree:
    """Return the tree with these contents by path; a directory's path ends in a slash."""
    tree = Tree(folders={0: {}})
    for number, path in enumerate(sorted(files), start=1):
        where = tree.place(path.removesuffix("/"))
        if where is None:
            raise ValueError(f"{path} lies in no directory")
        change = Change(kind="name", node=number, add=where, folder=path.endswith("/"))
        tree.take(change)
        if not change.folder:
            tree.files[number] = files[path]
    return tree
