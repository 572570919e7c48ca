"""Which clone this is: whose executions it may continue, and whose it must leave alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.git.durable import replace_file, storage_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitcto.git.repository import Repository

RECORD = "clone"
"""The file among git-cto's own that holds this clone's id, and where the clone was made."""


def clone_id(repository: Repository, machine: str, new_id: Callable[[], str]) -> str:
    """Return this clone's id, which is made once. One run at a time may ask.

    A clone that was moved keeps its id; a copy, and one that comes to another machine, gets its
    own: two clones with one id would take each other's workers for their own.
    """
    record = repository.cto_dir / RECORD
    own = os.fsencode(repository.common_dir)
    with storage_errors(f"read {record}"):
        found = record.read_bytes().splitlines() if record.exists() else []
    if len(found) == len(("id", "machine", "place")):
        same_place = found[2] == own or not Path(os.fsdecode(found[2])).exists()
        if found[1] == machine.encode() and same_place:
            known = found[0].decode()
            if found[2] != own:
                _write(record, known, machine, own)
            return known
    made = new_id()
    _write(record, made, machine, own)
    return made


def holder_of(actor: str, clone: str, run: str) -> str:
    """Return the name of a run in leases."""
    return f"{actor}/{clone}/{run}"


def is_of(holder: str, clone: str) -> bool:
    """Tell whether a lease is held by a run in that clone."""
    return holder.split("/")[-2:-1] == [clone]


def _write(record: Path, clone: str, machine: str, own: bytes) -> None:
    record.parent.mkdir(parents=True, exist_ok=True)
    replace_file(record, b"\n".join([clone.encode(), machine.encode(), own, b""]))
