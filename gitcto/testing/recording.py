"""Reading what ``strace`` saw of an operation as a journal of changes to a disk."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitcto.testing.disk import Change, Journal, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = (
    "chdir,openat,close,lseek,write,pwrite64,writev,ftruncate,fsync,fdatasync,sendfile,copy_file_range"
    ",?rename,?renameat,?renameat2,?link,?linkat,?unlink,?unlinkat,?mkdir,?mkdirat,?rmdir,sendto"
)
"""The calls that have to be traced."""

OPTIONS = ("-f", "-y", "-x", "-s", "100000000", "-e", f"trace={CALLS}", "-e", "signal=none")
"""What ``strace`` has to be told."""

_LINE = re.compile(r"(?:(\d+) +)?(.*)", re.DOTALL)
_DONE = re.compile(r"(\w+)\((.*)\) += (-?\d+).*", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_OPEN = re.compile(r"(-?\d+|AT_FDCWD)<((?:[^>\\]|\\.)*)>")
_HERE = "AT_FDCWD"
_OFFSET = re.compile(r"\[(\d+)\]")
_UNFINISHED = " <unfinished ...>"


class NotUnderstoodError(Exception):
    """The trace does not explain what is on the disk afterwards."""


@dataclass(slots=True)
class Recording:
    """The journal of one run below ``root``, and the tree that it leads to.

    What is below a name in ``elsewhere`` is on another machine's disk, so nothing is lost of it.
    """

    root: str
    tree: Tree
    elsewhere: frozenset[str] = frozenset()
    journal: Journal = field(default_factory=Journal)
    _at: dict[tuple[str, str], int] = field(default_factory=dict)
    _cwd: dict[str, str] = field(default_factory=dict)
    _far: set[int] = field(default_factory=set)
    _nodes: int = 1 << 20

    def read(self, trace: str) -> None:
        """Follow a trace. Raises :class:`NotUnderstoodError`."""
        for process, line in _whole_lines(trace):
            found = _DONE.fullmatch(line)
            if found is not None and not found[3].startswith("-"):
                call = _Call(process, found[2], int(found[3]))
                for fd, folder in _OPEN.findall(call.arguments):
                    if fd == _HERE:
                        self._cwd[process] = folder
                getattr(self, _HANDLERS[found[1]])(call)

    def _went(self, call: _Call) -> None:
        before = self._cwd.get(call.process, "/")
        self._cwd[call.process] = os.path.join(before, call.texts()[0])  # noqa: PTH118

    def _opened(self, call: _Call) -> None:
        path = self._path(self._folder(call), call.texts()[0])
        fd = str(call.result)
        self._at[call.process, fd] = 0
        if path is None:
            return
        node = self.tree.find(path)
        if "O_CREAT" in call.arguments and node is None:
            self._add(path)
        elif "O_TRUNC" in call.arguments and node is not None:
            self._data(Change(kind="data", node=node, size=0))
        if "O_APPEND" in call.arguments and node is not None:
            self._at[call.process, fd] = len(self.tree.files.get(node, b""))

    def _moved(self, call: _Call) -> None:
        fd, _ = call.open(0)
        self._at[call.process, fd] = call.result

    def _wrote(self, call: _Call) -> None:
        fd, node = self._file(call)
        if node is not None:
            at = self._at.get((call.process, fd), 0)
            self._at[call.process, fd] = at + call.result
            data = b"".join(map(_bytes, call.texts()))[: call.result]
            self._data(Change(kind="data", node=node, offset=at, data=data))

    def _wrote_at(self, call: _Call) -> None:
        _, node = self._file(call)
        if node is not None:
            data = _bytes(call.texts()[0])[: call.result]
            offset = int(call.arguments.rpartition(",")[2])
            self._data(Change(kind="data", node=node, offset=offset, data=data))

    def _copied(self, call: _Call) -> None:
        """Follow a copy within the kernel, from a named offset to where the target stands."""
        fd, node = self._file(call)
        source = self._path("", call.open(1)[1])
        taken = None if source is None else self.tree.find(source)
        offset = _OFFSET.search(call.arguments)
        if node is None:
            return
        if taken is None or offset is None:
            raise NotUnderstoodError(f"a copy within the kernel: {call.arguments[:200]}")
        at, start = self._at.get((call.process, fd), 0), int(offset[1])
        self._at[call.process, fd] = at + call.result
        data = self.tree.files[taken][start : start + call.result]
        self._data(Change(kind="data", node=node, offset=at, data=data))

    def _cut(self, call: _Call) -> None:
        _, node = self._file(call)
        if node is not None:
            size = int(call.arguments.rpartition(",")[2])
            self._data(Change(kind="data", node=node, size=size))

    def _synced(self, call: _Call) -> None:
        _, node = self._file(call)
        if node is not None:
            self.journal.sync(node)

    def _renamed(self, call: _Call) -> None:
        old, new = (self._path(self._folder(call, n), text) for n, text in enumerate(call.texts()))
        node = None if old is None else self.tree.find(old)
        if node is None or old is None or new is None:
            return
        where, before = self.tree.place(new), self.tree.place(old)
        if self.tree.find(new) == node:  # two names of one file: rename does nothing
            return
        folder = node in self.tree.folders
        self._name(Change(kind="name", node=node, add=where, drop=before, folder=folder))

    def _linked(self, call: _Call) -> None:
        old, new = (self._path(self._folder(call, n), text) for n, text in enumerate(call.texts()))
        node = None if old is None else self.tree.find(old)
        if node is not None and new is not None:
            self._name(Change(kind="name", node=node, add=self.tree.place(new)))

    def _unlinked(self, call: _Call) -> None:
        path = self._path(self._folder(call), call.texts()[0])
        node = None if path is None else self.tree.find(path)
        if node is not None and path is not None:
            self._name(Change(kind="name", node=node, drop=self.tree.place(path)))

    def _made(self, call: _Call) -> None:
        path = self._path(self._folder(call), call.texts()[0])
        if path is not None:
            self._add(path, folder=True)

    def _said(self, call: _Call) -> None:
        if "<socket:" in call.arguments and call.texts():
            said = json.loads(_bytes(call.texts()[0]))
            if "acknowledged" in said:
                self.journal.acknowledge(said["acknowledged"])

    def _closed(self, call: _Call) -> None:
        self._at.pop((call.process, call.open(0)[0]), None)

    def _add(self, path: str, *, folder: bool = False) -> None:
        self._nodes += 1
        where = self.tree.place(path)
        self._name(Change(kind="name", node=self._nodes, add=where, folder=folder))

    def _name(self, change: Change) -> None:
        where = change.add or change.drop
        if where is not None and self._is_elsewhere(where[0]):
            self._far.add(change.node)
        self._data(change)

    def _data(self, change: Change) -> None:
        self.tree.take(change)
        self.journal.change(change, synced=change.node in self._far)

    def _is_elsewhere(self, folder: int) -> bool:
        """Tell whether a directory is on another machine; those are known as they are met."""
        if not self._far:
            found = self.tree.paths().items()
            self._far |= {n for path, n in found if path.partition("/")[0] in self.elsewhere}
        return folder in self._far

    def _file(self, call: _Call) -> tuple[str, int | None]:
        fd, path = call.open(0)
        inside = self._path("", path)
        return fd, None if inside is None else self.tree.find(inside)

    def _folder(self, call: _Call, number: int = 0) -> str:
        """Return the directory that the ``number``-th path counts from."""
        return call.open(number)[1] or self._cwd.get(call.process, "/")

    def _path(self, folder: str, text: str) -> str | None:
        """Return a path relative to the root, or None for one that is elsewhere."""
        path = os.path.normpath(os.path.join(folder, _bytes(text).decode("utf-8", "replace")))  # noqa: PTH118
        if path == self.root:
            return ""
        return path.removeprefix(f"{self.root}/") if path.startswith(f"{self.root}/") else None


@dataclass(frozen=True, slots=True)
class _Call:
    process: str
    arguments: str
    result: int

    def texts(self) -> list[str]:
        return _TEXT.findall(_OPEN.sub("", self.arguments))

    def open(self, number: int) -> tuple[str, str]:
        found = _OPEN.findall(self.arguments)
        return found[number] if number < len(found) else ("", "")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _whole_lines(trace: str) -> Iterator[tuple[str, str]]:
    """Yield process and call; what was interrupted by another process is put together."""
    begun: dict[str, str] = {}
    for raw in trace.split("\n"):
        found = _LINE.fullmatch(raw)
        process, line = (found[1] or "", found[2]) if found else ("", raw)
        if line.endswith(_UNFINISHED):
            begun[process] = line.removesuffix(_UNFINISHED)
            continue
        resumed = _RESUMED.fullmatch(line)
        yield process, begun.pop(process, "") + resumed[1] if resumed else line


_HANDLERS = {
    "chdir": "_went",
    "openat": "_opened",
    "close": "_closed",
    "lseek": "_moved",
    "write": "_wrote",
    "writev": "_wrote",
    "pwrite64": "_wrote_at",
    "ftruncate": "_cut",
    "fsync": "_synced",
    "fdatasync": "_synced",
    "sendfile": "_copied",
    "copy_file_range": "_copied",
    **dict.fromkeys(("rename", "renameat", "renameat2"), "_renamed"),
    **dict.fromkeys(("link", "linkat"), "_linked"),
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), "_unlinked"),
    **dict.fromkeys(("mkdir", "mkdirat"), "_made"),
    "sendto": "_said",
}
