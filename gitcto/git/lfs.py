"""Files that belong to git-lfs: which these are, and taking the contents of one into its store.

Git-lfs itself is run by nobody here: a filter over a worker's files runs in the worker's sandbox,
and what it says is believed only after we have counted ourselves.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors, sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gitcto.git.process import Git
    from gitcto.git.repository import Repository

    CleanLarge = Callable[[Path, Sequence[str]], Mapping[str, bytes]]
    """Runs ``git lfs clean`` over files of a workspace; returns what it wrote for each."""

MAX_POINTER_BYTES = 1024
"""No pointer is longer (bytes); git-lfs says so."""

_CHUNK = 1 << 20
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (0|[1-9][0-9]*)\n"
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What stands for a large file: the SHA-256 of its bytes and their number."""

    oid: str
    size: int


def pointer_of(data: bytes) -> Pointer | None:
    """Return what a pointer file says, or None when it is none."""
    found = _POINTER.fullmatch(data) if len(data) <= MAX_POINTER_BYTES else None
    return Pointer(found[1].decode(), int(found[2])) if found else None


def unclean(git: Git, workspace: Path, index: Path, paths: Iterable[str]) -> list[str]:
    """Return which of the paths git-lfs has to clean: its own by attribute, and no pointers yet.

    Attributes are those of the index.
    """
    stdin = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
    if not stdin:
        return []
    arguments = ("check-attr", "--cached", "-z", "--stdin", "filter")
    out = git.run(*arguments, stdin=stdin, work_tree=workspace, index=index).out
    fields = out.decode("utf-8", "surrogateescape").split("\0")[:-1]
    rows = zip(fields[::3], fields[2::3], strict=True)
    return [path for path, value in rows if value == "lfs" and not _is_small(workspace / path)]


def _is_small(path: Path) -> bool:
    """Tell whether a file is a pointer already, or empty, which git-lfs leaves as it is."""
    with path.open("rb") as file:
        begin = file.read(MAX_POINTER_BYTES + 1)
    return not begin or pointer_of(begin) is not None


def keep_large(repository: Repository, source: Path, pointer: Pointer) -> bool:
    """Copy a file into the store of git-lfs if the pointer describes it; tell whether it does.

    Durable when it returns True. Raises ``CtoError`` for a full disk and the like.
    """
    store = repository.common_dir / "lfs" / "objects" / pointer.oid[:2] / pointer.oid[2:4]
    target = store / pointer.oid
    temporary = store / f"{pointer.oid}.{os.getpid()}.tmp"
    with storage_errors(f"write {target}"):
        store.mkdir(parents=True, exist_ok=True)
        try:
            with source.open("rb") as file, temporary.open("wb") as copy:
                digest, size = hashlib.sha256(), 0
                while block := file.read(_CHUNK):
                    digest.update(block)
                    size += len(block)
                    copy.write(block)
                copy.flush()
                os.fsync(copy.fileno())
            if (digest.hexdigest(), size) != (pointer.oid, pointer.size):
                return False
            temporary.replace(target)
            sync_directory(store)
        finally:
            temporary.unlink(missing_ok=True)
    return True
