"""Which clone this is: whose executions it may continue, and whose it must leave alone."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors, sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitcto.git.repository import Repository

RECORD = "clone"
"""The file among git-cto's own that holds this clone's id, and its own inode number."""


def clone_id(repository: Repository, new_id: Callable[[], str]) -> str:
    """Return this clone's id, which is made once. One run at a time may ask.

    A clone that is renamed keeps its id. A copy gets its own, here or on another machine: two
    clones with one id would take each other's workers for their own. What tells a copy is that the
    record is another file than the one it was written as.
    """
    record = repository.cto_dir / RECORD
    with storage_errors(f"read or write {record}"):
        return _known(record) or _make(record, new_id())


def known_clone(repository: Repository) -> str:
    """Return this clone's id, or nothing before its first run."""
    return _known(repository.cto_dir / RECORD)


def _known(record: Path) -> str:
    try:
        with record.open(encoding="ascii", errors="replace") as file:
            inode, words = os.fstat(file.fileno()).st_ino, file.read().split()
    except FileNotFoundError:
        return ""
    return words[0] if words[1:] == [str(inode)] else ""


def _make(record: Path, clone: str) -> str:
    record.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=record.parent, delete=False) as fresh:
        fresh.write(f"{clone} {os.fstat(fresh.fileno()).st_ino}\n".encode())
        fresh.flush()
        os.fsync(fresh.fileno())
    os.replace(fresh.name, record)  # noqa: PTH105 - a rename, which keeps the inode
    sync_directory(record.parent)
    return clone
