"""Refs: fast reads, and a compare-and-swap that survives kills, power cuts and ``pack-refs``."""

# Every event passes here; plain strings and os calls cost a third of Path.
# ruff: noqa: PTH104, PTH106, PTH108, PTH112, PTH120, PTH123

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import storage_errors, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.git.objects import Objects
    from gitcto.git.reflock import RefLock
    from gitcto.git.repository import Repository

_PACKED = "packed-refs"
_KEPT_PARTS = 2  # refs/<kind> stays
_VALUE = re.compile(rb"([0-9a-f]{40}(?:[0-9a-f]{24})?)\s*")
_BAD_NAME = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|\.\Z|/\Z|\A(?!refs/[^/])"
)


class Refs:
    """The refs of one repository (files backend). Nothing is cached; symbolic refs are refused."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._common = str(repository.common_dir)

    @cached_property
    def _objects(self) -> Objects:
        from gitcto.git.objects import Objects  # what only reads refs never needs it

        return Objects(self._repository)

    @cached_property
    def _lock(self) -> RefLock:
        from gitcto.git.reflock import RefLock

        return RefLock(self._common, str(self._repository.cto_dir))

    def read(self, name: str) -> str | None:
        """Return the object id, or None when there is no such ref."""
        _check_name(name)
        with storage_errors(f"read {name}"):
            return self._read_loose(name) or self._read_packed(name)

    def compare_and_swap(self, name: str, old: str | None, new: str) -> bool:
        """Set the ref to ``new`` if it is ``old`` (None: if it does not exist); tell whether.

        Durable when it returns True. Raises ``CtoError`` when ``new`` does not exist, when another
        ref stands in the way (``a`` and ``a/b``), when a foreign process keeps the lock, and for
        a full or read-only file system.
        """
        _check_name(name)
        if not self._objects.has(new):
            from gitcto.git.objects import MissingObject

            raise MissingObject(new)
        with storage_errors(f"update {name}"):
            if old is None:
                self._refuse_neighbours(name)
            with self._lock.held(name, new.encode() + b"\n") as lock:
                loose = self._read_loose(name)
                if (loose or self._read_packed(name)) != old:
                    return False
                self._rename(lock, name)
            self._settle(name)
            if loose is None:
                self._settle_parents(name)
        return True

    def delete(self, name: str, old: str) -> bool:
        """Delete the ref if it is ``old``, with its log; tell whether. Durable when it is True.

        As git does it, though no kill leaves a lock that blocks others: under the locks of the ref
        and of ``packed-refs``, which is rewritten first. Raises ``CtoError`` when somebody else
        keeps one of them.
        """
        if self.read(name) != old:
            return False
        with storage_errors(f"delete {name}"):
            with self._lock.held(name, b""), self._lock.held(_PACKED, b""):
                if (self._read_loose(name) or self._read_packed(name)) != old:
                    return False
                self._unpack(name)
                _remove(f"{self._common}/logs/{name}")
                if _remove(f"{self._common}/{name}"):
                    sync_directory(os.path.dirname(f"{self._common}/{name}"))
            self._remove_empty_parents(name)
        return True

    def list(self, prefix: str) -> dict[str, str]:
        """Return the refs whose names start with ``prefix``, sorted by name."""
        with storage_errors(f"list {prefix}"):
            names = _loose_names(self._common, prefix)
            loose = {name: self._read_loose(name, symbolic=None) for name in names}
            packed = _packed_lines(self._packed())
        found = {name: oid for name, oid in packed if name.startswith(prefix)}
        found |= {name: oid for name, oid in loose.items() if oid}
        return dict(sorted(found.items()))

    def head(self) -> tuple[str | None, str | None]:
        """Return the checked-out branch (None: detached) and commit (None: unborn)."""
        with storage_errors("read HEAD"):
            raw = (self._repository.git_dir / "HEAD").read_bytes()
        branch = _symbolic(raw)
        if branch is not None:
            return branch, self.read(branch)
        value = _VALUE.fullmatch(raw)
        if not value:
            raise _corrupt("HEAD")
        return None, value[1].decode()

    def checked_out(self) -> dict[str, Path]:
        """Return the branches that some worktree is on, also in a rebase or bisect, and where."""
        from gitcto.git.worktrees import branches_in_use

        return branches_in_use(self._repository)

    def _read_loose(self, name: str, *, symbolic: str | None = "refuse") -> str | None:
        try:
            with open(f"{self._common}/{name}", "rb") as file:
                raw = file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        value = _VALUE.fullmatch(raw)
        if value:
            return value[1].decode()
        if _symbolic(raw) is None:
            raise _corrupt(name)
        if symbolic is None:
            return None
        raise CtoError(
            f"{name} is a symbolic ref, it stands for {_symbolic(raw)}",
            "name that ref instead",
            ExitCode.GIT,
        )

    def _read_packed(self, name: str) -> str | None:
        content = self._packed()
        at = content.find(b" %s\n" % _raw(name))
        if at < 0:
            return None
        return content[content.rfind(b"\n", 0, at) + 1 : at].decode("ascii", "replace")

    def _packed(self) -> bytes:
        try:
            with open(f"{self._common}/{_PACKED}", "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def _unpack(self, name: str) -> None:
        """Take a ref out of ``packed-refs``, whose lock is held."""
        content = self._packed()
        row = re.compile(rb"^\S+ %s\n(?:\^.*\n)?" % re.escape(_raw(name)), re.MULTILINE)
        left = row.sub(b"", content)
        if left == content:
            return
        with self._lock.prepared(left) as path:
            os.rename(path, f"{self._common}/{_PACKED}")
        sync_directory(self._common)

    def _remove_empty_parents(self, name: str) -> None:
        """Remove the directories of a deleted ref that hold nothing any more, as git does."""
        parts = name.split("/")[:-1]
        with suppress(OSError):
            for count in range(len(parts), _KEPT_PARTS, -1):
                os.rmdir("/".join([self._common, *parts[:count]]))

    def _settle(self, name: str) -> None:
        """Make the new name survive a power cut, also when ``pack-refs`` has taken it already."""
        try:
            sync_directory(os.path.dirname(f"{self._common}/{name}"))
        except FileNotFoundError:
            with open(f"{self._common}/{_PACKED}", "rb") as packed:
                os.fsync(packed.fileno())
            sync_directory(self._common)

    def _settle_parents(self, name: str) -> None:
        """Make the directories of a ref's new file survive a power cut: they may be new, too."""
        parts = name.split("/")[:-1]
        with suppress(FileNotFoundError):  # ``pack-refs`` has taken the ref, and them
            for count in range(len(parts) - 1, 0, -1):
                sync_directory("/".join([self._common, *parts[:count]]))

    def _refuse_neighbours(self, name: str) -> None:
        """Refuse ``a/b`` beside ``a`` in either direction: git could not keep both in files."""
        parts = name.split("/")
        parents = ["/".join(parts[:count]) for count in range(2, len(parts))]
        packed = self._packed()
        for parent in parents:
            if self._read_loose(parent) or b" %s\n" % parent.encode() in packed:
                raise _in_the_way(name, parent)
        children = b" %s/" % _raw(name)
        if children in packed:
            raise _in_the_way(name, f"{name}/...")

    def _rename(self, lock: str, name: str) -> None:
        target = f"{self._common}/{name}"
        try:
            os.rename(lock, target)
        except OSError:
            if not os.path.isdir(target):
                raise
            for directory, _, files in os.walk(target, topdown=False):
                if files:
                    raise _in_the_way(name, f"{name}/...") from None
                os.rmdir(directory)
            os.rename(lock, target)


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _remove(path: str) -> bool:
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _packed_lines(content: bytes) -> list[tuple[str, str]]:
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    rows = (line.partition(" ") for line in lines if line[:1] not in {"", "#", "^"})
    return [(name, oid) for oid, _, name in rows]


def _loose_names(common: str, prefix: str) -> list[str]:
    start = f"{common}/{prefix[: prefix.rfind('/') + 1] or 'refs/'}"
    return [
        name
        for directory, _, files in os.walk(start.rstrip("/"))
        for file in files
        if (name := f"{directory}/{file}"[len(common) + 1 :]).startswith(prefix)
        and not _BAD_NAME.search(name)
    ]


def _symbolic(raw: bytes) -> str | None:
    if not raw.startswith(b"ref:"):
        return None
    return raw[4:].strip().decode("utf-8", "surrogateescape")


def _check_name(name: str) -> None:
    if _BAD_NAME.search(name):
        raise CtoError(
            f"{name!r} is not a valid ref name",
            "use refs/..., without spaces, dots at the edges or any of ~^:?*[\\",
            ExitCode.GIT,
        )


def _in_the_way(name: str, other: str) -> CtoError:
    return CtoError(
        f"cannot create {name}: {other} stands in its way",
        f"rename or delete {other}, or choose another name",
        ExitCode.GIT,
    )


def _corrupt(name: str) -> CtoError:
    return CtoError(
        f"{name} does not hold an object id",
        "look at `git fsck`; `git reflog` may know the last value, `git update-ref` sets it again",
        ExitCode.GIT,
    )
