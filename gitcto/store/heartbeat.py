"""Signs of life in the sidecar: the one thing that a supervisor writes there.

Read by whoever wants to know when a worker was last looked after. Nothing depends on them: they say
less than the lock that a supervisor holds, and may stay behind when it is killed.

A supervisor imports this module after its worker was let go, without site-packages. So: standard
library only, and no ``pathlib`` here.
"""
# ruff: noqa: PTH110, PTH116

from __future__ import annotations

import os
import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BEAT = "INSERT OR REPLACE INTO heartbeat VALUES(?, ?, ?, ?)"
_PROCESS = "INSERT OR REPLACE INTO process VALUES(?, ?, ?, ?)"
_FORGET = (
    "DELETE FROM heartbeat WHERE team = ? AND execution = ?",
    "DELETE FROM process WHERE team = ? AND execution = ?",
)


class Pulse:
    """The sign of life of one execution, written to a sidecar that may be away at any moment.

    ``heartbeat`` is that part of a launch record; ``pid`` and ``start`` are the worker's. Nothing
    here waits for a lock, makes a file or raises: what cannot be written now is left out.
    """

    def __init__(self, heartbeat: dict[str, Any], pid: int, start: str) -> None:
        self._path: str = heartbeat["sidecar"]
        self._whose = (heartbeat["team"], heartbeat["execution"])
        self._process = (pid, start)
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._replaced: list[sqlite3.Connection] = []

    def beat(self, now_ms: int, output_bytes: int) -> bool:
        """Say that the worker is looked after, and how much it has said; return whether it took.

        :param now_ms: milliseconds since the epoch.
        """
        beat = (*self._whose, now_ms, output_bytes)
        return self._write(((_BEAT, beat), (_PROCESS, (*self._whose, *self._process))))

    def end(self) -> bool:
        """Take the rows of this execution away; return whether they are gone.

        A connection to a file that was removed or replaced is left open: closing it would remove
        the log of the file that took its place. So the process should end without clearing up.
        """
        if not os.path.exists(self._path):
            return True
        done = self._write(tuple((statement, self._whose) for statement in _FORGET))
        if done and self._db is not None:
            self._db.close()
            self._db = None
        return done

    def _write(self, statements: tuple[tuple[str, tuple[Any, ...]], ...]) -> bool:
        try:
            db = self._connected()
            db.execute("BEGIN IMMEDIATE")
            try:
                for sql, values in statements:
                    db.execute(sql, values)
                db.execute("COMMIT")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
        except (sqlite3.Error, OSError):
            return False
        return True

    def _connected(self) -> sqlite3.Connection:
        """Return a connection to the file that is there now. Raises ``OSError``, ``sqlite3.Error``.

        The file is asked by name and never opened here: closing any other descriptor of it would
        drop the locks that SQLite holds in this process.
        """
        found = os.stat(self._path)
        file = (found.st_dev, found.st_ino)
        if self._db is not None and file != self._file:
            self._replaced.append(self._db)
            self._db = None
        if self._db is None:
            self._db = _open(self._path)
            self._file = file
        return self._db


def beats(db: sqlite3.Connection, team: str) -> dict[str, int]:
    """Return when each execution was last looked after, in milliseconds since the epoch."""
    query = "SELECT execution, beat_ms FROM heartbeat WHERE team = ?"
    return dict(db.execute(query, (team,)).fetchall())


def _open(path: str) -> sqlite3.Connection:
    """Open an existing database to write to it, without waiting for anybody."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    target = os.fsencode(f"file:{quoted}?mode=rw")
    db = sqlite3.connect(target, timeout=0, isolation_level=None, uri=True)
    db.execute("PRAGMA synchronous = NORMAL")  # no waiting for the disk at each beat
    return db
