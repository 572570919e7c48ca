"""The sidecar's tables, and how a connection to them is opened and set up.

Durable tables are a pure function of the ledgers: a rebuild gives the same bytes. Ephemeral ones
hold what no ledger knows. There are no migrations: another schema, or a reader that understands
other events, gives another :func:`version`, and the durable tables are built again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gitcto import __version__
from gitcto.model import codec

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID = 0x0C70C70C
"""Marks an SQLite file as our sidecar."""

DURABLE: Mapping[str, str] = {
    "cursor": """CREATE TABLE cursor(
        team TEXT PRIMARY KEY, tip TEXT, seq INTEGER, commits INTEGER, digest TEXT,
        seconds INTEGER, unknown INTEGER) WITHOUT ROWID""",
    "ledger_commit": """CREATE TABLE ledger_commit(
        team TEXT, number INTEGER, oid TEXT, tree TEXT, seconds INTEGER, subject TEXT, raw BLOB,
        PRIMARY KEY(team, number)) WITHOUT ROWID""",
    "event": """CREATE TABLE event(
        team TEXT, seq INTEGER, number INTEGER, id TEXT, kind TEXT, task TEXT, line BLOB,
        PRIMARY KEY(team, seq))""",
    "team": "CREATE TABLE team(name TEXT PRIMARY KEY, changed INTEGER, body BLOB) WITHOUT ROWID",
    "task": """CREATE TABLE task(
        team TEXT, id TEXT, state TEXT, ready INTEGER, ord INTEGER, changed INTEGER, body BLOB,
        PRIMARY KEY(team, id))""",
    "dependency": """CREATE TABLE dependency(
        team TEXT, needed TEXT, ord INTEGER, task TEXT,
        PRIMARY KEY(team, needed, ord)) WITHOUT ROWID""",
    "execution": """CREATE TABLE execution(
        team TEXT, id TEXT, task TEXT, live INTEGER, ord INTEGER, changed INTEGER, body BLOB,
        PRIMARY KEY(team, id))""",
    "mail": """CREATE TABLE mail(
        team TEXT, number INTEGER, sender TEXT, recipient TEXT, key TEXT, state TEXT,
        changed INTEGER, body BLOB, PRIMARY KEY(team, number))""",
}
"""Durable tables by name; the first three columns tell every row from any other.

Rows of more than 1,000 bytes would each cost an overflow page in a table without rowids.
"""

_INDEXES = (
    "CREATE UNIQUE INDEX event_id ON event(team, id)",
    "CREATE INDEX event_task ON event(team, task, seq) WHERE task <> ''",
    "CREATE INDEX task_state ON task(team, state, changed)",
    "CREATE INDEX task_ready ON task(team, ord) WHERE ready = 1",
    "CREATE INDEX task_changed ON task(team, changed)",
    "CREATE INDEX execution_task ON execution(team, task, ord)",
    "CREATE INDEX execution_live ON execution(team, ord) WHERE live = 1",
    "CREATE INDEX execution_changed ON execution(team, changed)",
    "CREATE UNIQUE INDEX mail_key ON mail(team, sender, recipient, key)",
    "CREATE INDEX mail_recipient ON mail(team, recipient, number)",
    "CREATE INDEX mail_state ON mail(team, state, number)",
    "CREATE INDEX mail_changed ON mail(team, changed)",
)

_EPHEMERAL = (
    """CREATE TABLE IF NOT EXISTS pack(
        team TEXT, since INTEGER, until INTEGER, level INTEGER, name TEXT,
        PRIMARY KEY(team, until, level)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS heartbeat(
        team TEXT, execution TEXT, beat_ms INTEGER, output_bytes INTEGER,
        PRIMARY KEY(team, execution)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS process(
        team TEXT, execution TEXT, pid INTEGER, process_start TEXT,
        PRIMARY KEY(team, execution)) WITHOUT ROWID""",
)

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA temp_store = MEMORY",
)


def version() -> int:
    """Return the number that says which tables, filled by which reader, a sidecar holds."""
    reader = [f"{kind}={number}" for kind, number in sorted(codec.VERSIONS.items())]
    steps = [f"{kind}<{number}" for kind, number in sorted(codec.UPCASTERS)]
    text = "\n".join([__version__, *DURABLE.values(), *_INDEXES, *_EPHEMERAL, *reader, *steps])
    return int(hashlib.sha256(text.encode()).hexdigest()[:7], 16) or 1


def connect(path: Path | None) -> sqlite3.Connection:
    """Open a database with our settings; without a path, one in memory.

    Raises :class:`sqlite3.Error`.
    """
    target = ":memory:" if path is None else str(path)
    db = sqlite3.connect(target, timeout=10, isolation_level=None, cached_statements=256)
    try:
        for pragma in _PRAGMAS:
            db.execute(pragma)
    except sqlite3.Error:
        db.close()
        raise
    return db


def is_current(db: sqlite3.Connection) -> bool:
    """Tell whether every table is there, filled by a reader that understands what ours does."""
    marks = (
        db.execute("PRAGMA application_id").fetchone()[0],
        db.execute("PRAGMA user_version").fetchone()[0],
    )
    if marks != (APPLICATION_ID, version()):
        return False
    found = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return found.issuperset(DURABLE)


def create(db: sqlite3.Connection) -> None:
    """Make empty durable tables, whatever was there, in one transaction."""
    db.execute("BEGIN IMMEDIATE")
    try:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            db.execute(f'DROP TABLE "{name}"')
        for statement in (*DURABLE.values(), *_INDEXES, *_EPHEMERAL):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version()}")
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def dump(db: sqlite3.Connection) -> Iterator[str]:
    """Yield every durable row as text, table by table, sorted by its first columns."""
    for name in DURABLE:
        for row in db.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3"):  # noqa: S608 - our own constant
            yield f"{name} {row!r}"
