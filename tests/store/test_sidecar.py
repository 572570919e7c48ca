"""The sidecar may be deleted, damaged or outdated at any moment, and nobody notices."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcto.errors import CtoError
from gitcto.git.repository import Repository
from gitcto.model import commands as cmd
from gitcto.model.records import TeamMode
from gitcto.store import schema, sidecar
from gitcto.store.ledger import Ledger
from gitcto.store.reader import LedgerReader
from gitcto.store.sidecar import Sidecar
from tests.store.conftest import ENVIRONMENT, TestEffects, git, lease, make_repository, recorded

PAUSE = cmd.SetMode(mode=TeamMode.PAUSED)


def database(repository: Repository) -> Path:
    return repository.cto_dir / "sidecar.db"


def spoil(repository: Repository, how: str) -> None:
    path = database(repository)
    if how == "deleted":
        path.unlink()
    elif how == "emptied":
        path.write_bytes(b"")
    elif how == "garbage":
        path.write_bytes(b"not a database at all" * 300)
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif how == "pages":
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xa5" * (len(data) - 4096)
        path.write_bytes(data)
    else:
        db = sqlite3.connect(path)
        db.execute(how)
        db.commit()
        db.close()


TROUBLE = [
    "deleted",
    "emptied",
    "garbage",
    "truncated",
    "pages",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = 7",
    "DROP TABLE task",
    "UPDATE task SET body = '{}'",
    "UPDATE team SET body = x'ff'",
]


@pytest.mark.parametrize("how", TROUBLE)
def test_whatever_happens_to_the_sidecar_the_next_command_just_works(
    ledger: Ledger, open_ledger: Callable[..., Ledger], repository: Repository, how: str
) -> None:
    recorded(ledger.transact(lease("T1", "x1")))
    expected, summary = ledger.sidecar().dump(), ledger.summary()
    ledger.close()
    spoil(repository, how)
    again = open_ledger(using=TestEffects(seed=2))
    assert again.summary() == summary
    assert [task.spec.id for task in again.tasks()] == ["T1", "T2", "T3"]
    assert again.sidecar().dump() == expected
    recorded(again.transact(PAUSE))


@pytest.mark.parametrize("how", ["garbage", "pages"])
def test_a_damaged_sidecar_is_kept_and_can_be_told(
    ledger: Ledger, open_ledger: Callable[..., Ledger], repository: Repository, how: str
) -> None:
    ledger.close()
    spoil(repository, how)
    damaged = database(repository).read_bytes()
    recorded(open_ledger(using=TestEffects(seed=2)).transact(PAUSE))
    assert sidecar.quarantined(repository) == ["sidecar.db.1"]
    assert (repository.cto_dir / "quarantine" / "sidecar.db.1").read_bytes() == damaged


@pytest.mark.parametrize("how", ["deleted", "UPDATE task SET body = '{}'", "DROP TABLE event"])
def test_trouble_under_an_open_ledger_is_survived_too(
    ledger: Ledger, repository: Repository, how: str
) -> None:
    recorded(ledger.transact(lease("T1", "x1")))
    expected = ledger.sidecar().dump()
    spoil(repository, how)
    recorded(ledger.transact(cmd.RenewLease(execution="x1", epoch=1, expires_ms=2 * 10**12)))
    assert len(list(ledger.events())) == 7
    assert ledger.sidecar().dump()[: len(expected)] != expected
    assert ledger.sidecar().is_current()
    dump = ledger.sidecar().dump()
    ledger.rebuild()
    assert ledger.sidecar().dump() == dump


def test_a_newer_sidecar_under_an_older_reader_is_built_again_in_place(
    ledger: Ledger, repository: Repository, open_ledger: Callable[..., Ledger]
) -> None:
    """Two versions may take turns; each finds the tables of the other and starts again."""
    expected = ledger.sidecar().dump()
    ledger.close()
    spoil(repository, "CREATE TABLE tomorrow(x)")
    spoil(repository, "PRAGMA user_version = 12345")
    again = open_ledger()
    again.catch_up()
    assert again.sidecar().dump() == expected
    assert sidecar.quarantined(repository) == []


def test_a_clone_elsewhere_shows_the_same(
    ledger: Ledger, repository: Repository, tmp_path: Path, open_ledger: Callable[..., Ledger]
) -> None:
    recorded(ledger.transact(lease("T1", "x1")))
    clone = make_repository(tmp_path / "clone")
    git(clone, "fetch", "-q", str(repository.common_dir), "refs/cto/*:refs/cto/*")
    there = open_ledger(clone)
    assert there.summary() == ledger.summary()
    assert [s.line for s in there.events()] == [s.line for s in ledger.events()]
    assert there.sidecar().dump() == ledger.sidecar().dump()
    recorded(there.transact(PAUSE))
    git(repository, "fetch", "-q", str(clone.common_dir), "refs/cto/*:refs/cto/*")
    assert ledger.summary() == there.summary()


def test_a_linked_worktree_shares_the_ledger_and_the_sidecar(
    ledger: Ledger, repository: Repository, tmp_path: Path, open_ledger: Callable[..., Ledger]
) -> None:
    from gitcto.git.repository import discover

    git(Path(str(repository.work_tree)), "commit", "-q", "--allow-empty", "-m", "x")
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = open_ledger(discover(tmp_path / "linked", ENVIRONMENT))
    assert linked.sidecar().dump() == ledger.sidecar().dump()
    recorded(linked.transact(PAUSE))
    assert ledger.summary() == linked.summary()


@pytest.mark.parametrize("options", [("--bare",), ("--object-format=sha256",)])
def test_other_kinds_of_repositories_work_as_well(
    tmp_path: Path, open_ledger: Callable[..., Ledger], options: tuple[str, ...]
) -> None:
    from tests.store.conftest import begin

    other = open_ledger(make_repository(tmp_path / "other", *options))
    begin(other)
    recorded(other.transact(PAUSE))
    assert other.verify_chain() == []
    dump = other.sidecar().dump()
    other.rebuild()
    assert other.sidecar().dump() == dump
    assert git(other.repository, "fsck", "--strict") == ""


def test_reading_works_where_nothing_can_be_written(
    ledger: Ledger, repository: Repository, tmp_path: Path
) -> None:
    """In its own mount namespace, because root may write everywhere else."""
    recorded(ledger.transact(lease("T1", "x1")))
    expected = ledger.sidecar().dump()
    ledger.close()
    script = tmp_path / "look.py"
    script.write_text(READ_ONLY)
    for present in (True, False):
        if not present:
            database(repository).unlink()
        done = subprocess.run(
            [*MOUNTED, str(repository.work_tree), sys.executable, str(script)],
            check=False,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        )
        if "mount" in done.stderr or "unshare" in done.stderr:
            pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        out = done.stdout.splitlines()
        assert out[0] == "Read-only file system"
        assert out[1:] == expected


MOUNTED = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "$@"',
]

READ_ONLY = """
import os, sys
from pathlib import Path
from gitcto.effects import SystemEffects
from gitcto.errors import CtoError
from gitcto.git.repository import discover
from gitcto.model import commands as cmd
from gitcto.model.records import TeamMode
from gitcto.store.ledger import Ledger

with Ledger(discover(Path.cwd(), os.environ), "demo", SystemEffects(), "me") as ledger:
    ledger.summary()
    try:
        ledger.transact(cmd.SetMode(mode=TeamMode.PAUSED))
    except CtoError as error:
        print("Read-only file system" if "Read-only file system" in error.message else error)
    print(*ledger.sidecar().dump(), sep="\\n")
"""


def test_an_administrator_may_ask_anything_and_change_nothing(ledger: Ledger) -> None:
    ledger.catch_up()
    asked = ledger.sidecar().query(
        "SELECT kind, count(*) n FROM event WHERE seq > ? GROUP BY 1", [1]
    )
    assert asked == [{"kind": "plan.imported", "n": 1}, {"kind": "task.added", "n": 3}]
    for sql in ("DELETE FROM event", "nonsense", "SELECT * FROM nowhere"):
        with pytest.raises(CtoError, match="cannot answer"):
            ledger.sidecar().query(sql)
    assert len(list(ledger.events())) == 5
    recorded(ledger.transact(PAUSE))


def test_every_question_of_a_status_is_answered_by_an_index(ledger: Ledger) -> None:
    asked: list[str] = []
    side = ledger.sidecar()
    side.db.set_trace_callback(asked.append)
    ledger.summary()
    list(ledger.events(task="T1", newest_first=True, limit=5))
    ledger.executions("T1")
    ledger.view().execution("x")
    side.db.set_trace_callback(None)
    questions = [sql for sql in asked if sql.lstrip().startswith("SELECT")]
    assert len(questions) > 8
    for sql in questions:
        plan = [row[3] for row in side.db.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert not [line for line in plan if "SCAN" in line or "TEMP B-TREE" in line], (sql, plan)


def test_a_status_loads_neither_dulwich_nor_sqlite_utils(
    ledger: Ledger, repository: Repository, tmp_path: Path
) -> None:
    ledger.catch_up()
    script = tmp_path / "status.py"
    script.write_text(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from gitcto.git.repository import discover\n"
        "from gitcto.store.reader import LedgerReader\n"
        "with LedgerReader(discover(Path.cwd(), os.environ), 'demo') as ledger:\n"
        "    assert ledger.summary().cursor.seq == 5\n"
        "    assert len(list(ledger.events(newest_first=True, limit=3))) == 3\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        check=True,
        capture_output=True,
        text=True,
        cwd=str(repository.work_tree),
        env=ENVIRONMENT,
    )
    loaded = set(done.stdout.split())
    assert "sqlite3" in loaded
    assert not loaded & {"dulwich", "sqlite_utils", "click", "rich", "tomlkit", "urllib3"}


def test_the_schema_version_follows_tables_and_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    from gitcto.model import codec

    before = schema.version()
    assert 0 < before < 2**31
    monkeypatch.setitem(codec.UPCASTERS, ("team.created", 0), dict)
    assert schema.version() != before


def test_a_private_sidecar_needs_no_file(repository: Repository, ledger: Ledger) -> None:
    private = Sidecar.in_memory(repository)
    assert private.is_private
    assert private.is_current()
    assert private.dump() == []
    private.close()
    private.close()
    assert LedgerReader(repository, "demo").exists()
    with pytest.raises(CtoError, match="cannot name a team"):
        LedgerReader(repository, "../x")
    assert ledger.exists()
