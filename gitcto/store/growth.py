"""Packing our own range of objects, so that a ledger never costs a user's git its speed.

A durable append leaves one loose object (4 KiB on most disks); packed it takes about 300 bytes.
The user's ``gc`` is never relied upon, and other people's packs are never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.store.heal import heal
from gitcto.store.sidecar import SidecarUnusable, translated

if TYPE_CHECKING:
    import sqlite3

    from gitcto.git.repository import Repository
    from gitcto.store.sidecar import Sidecar

PACK_EVERY = 512
"""Ledger commits that may lie loose before they are packed."""

FAN_IN = 16
"""Packs of one size that are joined into one of the next."""


def pack_if_due(repository: Repository, side: Sidecar, team: str) -> bool:
    """Pack what was appended since the last time, when it is enough; tell whether it was packed.

    The caller holds the write lock. It is housekeeping after something was recorded, so it never
    raises: when it fails, the ledger is as good as before, and it is tried again at the next turn.
    """
    try:
        with translated():
            return _pack_if_due(repository, side.db, team)
    except (CtoError, SidecarUnusable):
        return False


def _pack_if_due(repository: Repository, db: sqlite3.Connection, team: str) -> bool:
    query = "SELECT max(until) FROM pack WHERE team = ?"
    packed = db.execute(query, (team,)).fetchone()[0] or 0
    commits = db.execute("SELECT commits FROM cursor WHERE team = ?", (team,)).fetchone()
    total = commits[0] if commits else 0
    if total - packed < PACK_EVERY or (total - packed) % PACK_EVERY:
        return False
    try:
        _pack(repository, db, team, (packed, total))
    except CtoError:
        heal(repository, db, team)  # what git lost is the likeliest reason
        raise
    return True


def _pack(
    repository: Repository, db: sqlite3.Connection, team: str, between: tuple[int, int]
) -> None:
    from gitcto.git.process import plumbing

    since, until = between
    name = _pack_range(repository, db, team, between, "--incremental")
    row = (team, since, until, 0, name)
    db.execute("INSERT OR REPLACE INTO pack VALUES (?, ?, ?, ?, ?)", row)
    plumbing(repository).run("prune-packed", "-q")
    level = 0
    while _join(repository, db, team, level):
        level += 1


def _join(repository: Repository, db: sqlite3.Connection, team: str, level: int) -> bool:
    """Replace the packs of one level by one of the next, when there are enough of them."""
    from gitcto.git.durable import storage_errors

    query = "SELECT since, until, name FROM pack WHERE team = ? AND level = ? ORDER BY until"
    spent = db.execute(query, (team, level)).fetchall()
    folder = repository.objects / "pack"
    if len(spent) < FAN_IN or (folder / "multi-pack-index").exists():
        return False
    between = (spent[0][0], spent[-1][1])
    name = _pack_range(repository, db, team, between)
    db.execute("DELETE FROM pack WHERE team = ? AND level = ?", (team, level))
    row = (team, *between, level + 1, name)
    db.execute("INSERT OR REPLACE INTO pack VALUES (?, ?, ?, ?, ?)", row)
    with storage_errors(f"remove a pack from {folder}"):
        for _, _, old in spent:
            if old and old != name:
                for suffix in (".idx", ".pack", ".rev"):  # git's own order: first nobody finds it
                    (folder / f"pack-{old}{suffix}").unlink(missing_ok=True)
    return True


def _pack_range(
    repository: Repository,
    db: sqlite3.Connection,
    team: str,
    between: tuple[int, int],
    *options: str,
) -> str:
    from gitcto.git.durable import storage_errors, sync_directory
    from gitcto.git.process import plumbing

    folder = repository.objects / "pack"
    command = ("pack-objects", "--revs", "--delta-base-offset", "-q", *options)
    numbers = [
        db.execute(
            "SELECT oid FROM ledger_commit WHERE team = ? AND number = ?", (team, number)
        ).fetchone()
        for number in reversed(between)
    ]
    oids = [row[0] for row in numbers if row is not None]
    wanted = "\n".join([oids[0], *(f"^{oid}" for oid in oids[1:]), ""])
    name = plumbing(repository).text(*command, str(folder / "pack"), stdin=wanted.encode())
    with storage_errors(f"sync {folder}"):
        sync_directory(folder)  # the pack has its name for good before its loose twins go
    return name
