"""The sidecar: a SQLite file that can be deleted, corrupted or outdated at any moment.

It is opened, made or put aside here. What it holds comes from the ledgers alone, so nobody is asked
and nothing is lost when it has to start again.
"""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from gitcto.errors import CtoError, ExitCode
from gitcto.model.rows import RowError
from gitcto.store import schema
from gitcto.store.projection import Projection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitcto.git.repository import Repository

NAME = "sidecar.db"
_SUFFIXES = ("", "-wal", "-shm")
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_CLOSED_TO_US = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_HINTS = {
    sqlite3.SQLITE_FULL: "free some disk space and run the command again; nothing was lost",
    sqlite3.SQLITE_BUSY: "another program holds the sidecar; wait for it and run again",
    sqlite3.SQLITE_IOERR: "check the disk (space, dmesg) and run again; nothing was lost",
    sqlite3.SQLITE_READONLY: "make the git directory writable for this user and run again",
}


class SidecarUnusable(Exception):  # noqa: N818 - told to the caller within this room, never to a user
    """The sidecar has to be put aside and built again."""


def sidecar_path(repository: Repository) -> Path:
    """Return where the sidecar of a repository lies, or will."""
    return repository.cto_dir / NAME


def lock_path(repository: Repository) -> Path:
    """Return the file whose lock serialises every write of git-cto in a repository."""
    return repository.cto_dir / "lock"


class Sidecar:
    """One open connection. Use it from the thread that opened it, and close it."""

    def __init__(self, repository: Repository, db: sqlite3.Connection, inode: int) -> None:
        self.db = db
        self._repository = repository
        self._inode = inode

    @classmethod
    def open(cls, repository: Repository) -> Sidecar:
        """Open the sidecar, making it first where it is absent, outdated or broken.

        Takes the write lock while it makes one. Where the git directory cannot be written it
        is kept in memory, so that reading still works. Raises ``CtoError``.
        """
        from gitcto.git.lock import exclusive

        path = repository.cto_dir / NAME
        found = _open_current(path)
        if found is None:
            try:
                with exclusive(lock_path(repository)):
                    found = _open_current(path) or _make(path)
            except CtoError as error:
                if not is_read_only(error):
                    raise
                return cls.in_memory(repository)
        return cls(repository, found, path.stat().st_ino)

    @classmethod
    def in_memory(cls, repository: Repository) -> Sidecar:
        """Make an empty sidecar that vanishes with this object."""
        db = schema.connect(None)
        schema.create(db)
        return cls(repository, db, 0)

    @property
    def is_private(self) -> bool:
        """Whether it lives in memory only, so no lock protects it and none is needed."""
        return self._inode == 0

    def is_current(self) -> bool:
        """Tell whether the file we hold open is still the one that others open."""
        if self.is_private:
            return True
        try:
            return (self._repository.cto_dir / NAME).stat().st_ino == self._inode
        except OSError:
            return False

    @contextmanager
    def writing(self, team: str) -> Iterator[Projection]:
        """Give the projection of a team inside ``BEGIN IMMEDIATE``; commit it at the end.

        Anything raised inside rolls back. The caller holds the write lock.
        """
        with translated():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                projection = Projection(self.db, team)
                yield projection
                projection.flush()
                self.db.execute("COMMIT")
            finally:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")

    def checkpoint(self, projection: Projection) -> None:
        """Commit what :meth:`writing` did so far, so that a long way is gone in steps."""
        projection.flush()
        self.db.execute("COMMIT")
        self.db.execute("BEGIN IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give one consistent snapshot for several queries."""
        with translated():
            self.db.execute("BEGIN")
            try:
                yield self.db
            finally:
                if self.db.in_transaction:
                    self.db.execute("COMMIT")

    def forget(self, team: str) -> None:
        """Drop the durable rows of a team, so that it is followed from its first event again."""
        with translated():
            self.db.execute("BEGIN IMMEDIATE")
            for table in schema.DURABLE:
                column = "name" if table == "team" else "team"
                self.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (team,))  # noqa: S608
            self.db.execute("COMMIT")

    def dump(self) -> list[str]:
        """Return every durable row as text: equal dumps mean byte-identical content."""
        with translated():
            return list(schema.dump(self.db))

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Answer an administrator's question; nothing can be changed by it.

        Imports sqlite-utils (about 50 ms), so no ordinary command may call it.
        Raises :class:`gitcto.errors.CtoError` for bad SQL.
        """
        import sqlite_utils

        self.db.execute("PRAGMA query_only = ON")
        try:
            database = sqlite_utils.Database(self.db, execute_plugins=False)
            return [dict(row) for row in database.query(sql, list(parameters))]
        except (sqlite3.Error, ValueError) as error:
            raise CtoError(
                f"the sidecar cannot answer: {error}",
                f"the tables are {', '.join(schema.DURABLE)}",
                ExitCode.USAGE,
            ) from error
        finally:
            self.db.execute("PRAGMA query_only = OFF")

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        with suppress(sqlite3.Error):
            self.db.close()


def quarantine(repository: Repository) -> None:
    """Put a damaged sidecar aside, where ``doctor`` finds it. Raises ``CtoError``."""
    from gitcto.git.durable import storage_errors
    from gitcto.git.lock import exclusive

    with exclusive(lock_path(repository)), storage_errors("put the damaged sidecar aside"):
        _put_aside(repository.cto_dir / NAME)


def quarantined(repository: Repository) -> list[str]:
    """Return the names of the damaged sidecars that were put aside, oldest first."""
    names = (path.name for path in (repository.cto_dir / "quarantine").glob(f"{NAME}.*"))
    return sorted(name for name in names if name.rpartition(".")[2].isdigit())


@contextmanager
def translated() -> Iterator[None]:
    """Turn SQLite's errors into :class:`SidecarUnusable` or ``CtoError``."""
    try:
        yield
    except RowError as error:
        raise SidecarUnusable(str(error)) from error
    except sqlite3.IntegrityError as error:
        raise CtoError(
            f"the ledger repeats itself: {error}",
            "somebody rewrote it; fetch refs/cto/* from a clone that has the true one",
            ExitCode.GIT,
        ) from error
    except sqlite3.Error as error:
        code = _primary(error)
        if code in _DAMAGED:
            raise SidecarUnusable(str(error)) from error
        hint = _HINTS.get(code, "delete cto/sidecar.db in the git directory; it is built again")
        raise CtoError(f"the sidecar cannot be used: {error}", hint, ExitCode.GIT) from error


def _primary(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _open_current(path: Path) -> sqlite3.Connection | None:
    """Open the sidecar when it can be used as it is."""
    if not path.exists():
        return None
    db = None
    try:
        db = schema.connect(path)
        if schema.is_current(db):
            return db
    except sqlite3.Error as error:
        if _primary(error) not in _DAMAGED | _CLOSED_TO_US:
            with translated():
                raise
    if db is not None:
        db.close()
    return None


def _make(path: Path) -> sqlite3.Connection:
    """Empty an outdated sidecar, or put a broken one aside; return an open, empty one."""
    for _ in range(2):
        db = None
        try:
            db = schema.connect(path)
            schema.create(db)
        except sqlite3.Error as error:
            if db is not None:
                db.close()
            if _primary(error) not in _DAMAGED:
                with translated():
                    raise
            _put_aside(path)
        else:
            return db
    raise CtoError(f"cannot make {path}", "remove it by hand and run again", ExitCode.GIT)


def _put_aside(path: Path) -> None:
    place = path.parent / "quarantine"
    place.mkdir(exist_ok=True)
    number = sum(1 for _ in place.iterdir()) + 1
    for suffix in _SUFFIXES:
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(place / f"{path.name}.{number}{suffix}")


def is_read_only(error: CtoError) -> bool:
    """Tell whether an error came from a file system or a file that may only be read."""
    cause = error.__cause__
    if isinstance(cause, OSError):
        return cause.errno in {errno.EROFS, errno.EACCES, errno.EPERM}
    return isinstance(cause, sqlite3.Error) and _primary(cause) in _CLOSED_TO_US
