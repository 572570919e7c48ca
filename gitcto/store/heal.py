"""Ledger commits that git lost, written again from what the sidecar knows, bit for bit.

``git gc --prune=now`` may remove an object between its writing and the moment the ref names it, and
a disk may damage one. The sidecar holds everything a commit consists of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.loose import CorruptObject
from gitcto.git.objects import MissingObject, Objects
from gitcto.store.commits import encode

if TYPE_CHECKING:
    import sqlite3

    from gitcto.git.repository import Repository

_CHUNK = 50_000


def heal(repository: Repository, db: sqlite3.Connection, team: str) -> int:
    """Write every commit of the team's ledger that cannot be read again; return how many.

    Only what gives exactly the lost oid is counted. The caller holds the write lock.
    """
    objects = Objects(repository)
    healed = 0
    for number in _lost(repository, objects, db, team):
        oid, raw = _known(db, team, number)
        _set_aside(repository, objects, oid)
        healed += objects.write("commit", raw) == oid
    return healed


def _lost(repository: Repository, objects: Objects, db: sqlite3.Connection, team: str) -> list[int]:
    from gitcto.git.process import plumbing

    git = plumbing(repository)
    loose = _loose(repository)
    query = "SELECT number, oid FROM ledger_commit WHERE team = ? ORDER BY number"
    cursor = db.execute(query, (team,))
    lost: list[int] = []
    while rows := cursor.fetchmany(_CHUNK):
        asked = "".join(f"{oid}\n" for _, oid in rows).encode()
        lines = git.run("cat-file", "--batch-check", stdin=asked, check=False).out.splitlines()
        answers = dict(line.split(b" ", 1) for line in lines)
        for number, oid in rows:
            there = answers.get(oid.encode(), b"missing").startswith(b"commit")
            # git looks at headers only; a pack is checked by `git fsck`, a loose object here
            if not there or (oid in loose and not _is_sound(objects, oid)):
                lost.append(number)
    return lost


def _loose(repository: Repository) -> set[str]:
    with storage_errors(f"list {repository.objects}"):
        folders = (path for path in repository.objects.iterdir() if len(path.name) == len("00"))
        return {folder.name + path.name for folder in folders for path in folder.iterdir()}


def _is_sound(objects: Objects, oid: str) -> bool:
    try:
        objects.read(oid)
    except CtoError:
        return False
    return True


def _known(db: sqlite3.Connection, team: str, number: int) -> tuple[str, bytes]:
    """Return oid and bytes of one commit as the sidecar remembers it."""
    query = """SELECT oid, tree, seconds, subject, raw,
        (SELECT oid FROM ledger_commit WHERE team = ?1 AND number = ?2 - 1)
        FROM ledger_commit WHERE team = ?1 AND number = ?2"""
    oid, tree, seconds, subject, raw, parent = db.execute(query, (team, number)).fetchone()
    if raw is not None:
        return oid, raw
    lines = db.execute(
        "SELECT line FROM event WHERE team = ? AND number = ? ORDER BY seq", (team, number)
    )
    data = encode(
        tree=tree, parent=parent, seconds=seconds, subject=subject, lines=[row[0] for row in lines]
    )
    return oid, data


def _set_aside(repository: Repository, objects: Objects, oid: str) -> None:
    """Move a damaged loose file away, so that the right bytes can take its name."""
    try:
        objects.read(oid)
    except CorruptObject:
        path = repository.objects / oid[:2] / oid[2:]
        if path.exists():
            place = repository.cto_dir / "quarantine"
            with storage_errors(f"put {path} aside"):
                place.mkdir(parents=True, exist_ok=True)
                path.rename(place / f"object-{oid}")
    except MissingObject:
        return
