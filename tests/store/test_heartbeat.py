"""Signs of life in the sidecar: written when that is possible, and never at a worker's cost."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing

import pytest

from gitcto.runtime.worker import workers
from gitcto.runtime.worker.workers import Heartbeat, Limits, Program
from gitcto.store import schema
from gitcto.store.heartbeat import Pulse, beats

LIMITS = Limits(wall_s=50, idle_s=None, output_bytes=1 << 20)


@pytest.fixture
def sidecar(tmp_path):
    path = tmp_path / "side #1%41.db"
    make(path)
    return path


def make(path):
    with closing(schema.connect(path)) as db:
        schema.create(db)


def pulse_of(path, execution="e1"):
    return Pulse({"sidecar": str(path), "team": "main", "execution": execution}, 41, "boot:7")


def rows(path, table):
    with closing(schema.connect(path)) as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def durable(path):
    with closing(schema.connect(path)) as db:
        return list(schema.dump(db))


def test_a_beat_says_who_lives_and_its_end_takes_that_away(sidecar):
    pulse = pulse_of(sidecar)
    other = pulse_of(sidecar, "e2")
    assert pulse.beat(1_800_000_000_000 + 100, 100)
    assert other.beat(1_800_000_000_000 + 5, 5)
    assert pulse.beat(1_800_000_000_000 + 200, 200)
    assert rows(sidecar, "process") == [("main", "e1", 41, "boot:7"), ("main", "e2", 41, "boot:7")]
    assert [(row[1], row[3]) for row in rows(sidecar, "heartbeat")] == [("e1", 200), ("e2", 5)]
    with closing(schema.connect(sidecar)) as db:
        told = beats(db, "main")
        assert beats(db, "another") == {}
    assert told == {"e1": 1_800_000_000_200, "e2": 1_800_000_000_005}
    assert pulse.end()
    assert [row[1] for row in rows(sidecar, "heartbeat") + rows(sidecar, "process")] == ["e2", "e2"]
    assert other.end()
    assert durable(sidecar) == []


def test_without_a_sidecar_nothing_is_made(tmp_path):
    pulse = pulse_of(tmp_path / "sidecar.db")
    assert not pulse.beat(1_800_000_000_000 + 1, 1)
    assert pulse.end()
    assert list(tmp_path.iterdir()) == []


def test_a_locked_sidecar_is_left_alone_at_once(sidecar):
    pulse = pulse_of(sidecar)
    assert pulse.beat(1_800_000_000_000 + 1, 1)
    with closing(schema.connect(sidecar)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert not pulse.beat(1_800_000_000_000 + 2, 2)
        assert not pulse_of(sidecar, "e2").beat(1_800_000_000_000 + 3, 3)
        assert not pulse.end()
    assert pulse.beat(1_800_000_000_000 + 4, 4)
    assert [row[3] for row in rows(sidecar, "heartbeat")] == [4]
    assert pulse.end()


@pytest.mark.parametrize("how", ["replaced", "rebuilt"])
def test_a_new_sidecar_gets_the_next_beat(sidecar, how):
    pulse = pulse_of(sidecar)
    assert pulse.beat(1_800_000_000_000 + 1, 1)
    if how == "replaced":
        for suffix in ("", "-wal", "-shm"):
            old = sidecar.with_name(sidecar.name + suffix)
            old.rename(sidecar.with_name(f"old.db{suffix}"))
        assert not pulse.beat(1_800_000_000_000 + 2, 2)
        make(sidecar)
    else:
        with closing(schema.connect(sidecar)) as db:
            schema.create(db)
    assert rows(sidecar, "heartbeat") == []
    assert pulse.beat(1_800_000_000_000 + 3, 3)
    assert [row[3] for row in rows(sidecar, "heartbeat")] == [3]
    with closing(schema.connect(sidecar)) as db:
        db.execute("INSERT INTO team VALUES('main', 1, x'00')")
        assert pulse.end()
    assert len(durable(sidecar)) == 1, "what others wrote meanwhile is still there"


@pytest.mark.parametrize(
    "content", [b"", b"no database" * 999, b"SQLite format 3\0" + b"\xff" * 8192]
)
def test_a_broken_sidecar_is_left_as_it_is(sidecar, content):
    sidecar.write_bytes(content)
    pulse = pulse_of(sidecar)
    assert not pulse.beat(1_800_000_000_000 + 1, 1)
    assert not pulse.end()
    assert sidecar.read_bytes() == content


def run(tmp_path, sidecar, *argv):
    program = Program(argv=argv, env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, cwd=tmp_path)
    heartbeat = Heartbeat(sidecar=sidecar, team="main", execution="e1")
    return workers.spawn(tmp_path / "run", program, LIMITS, heartbeat)


def test_a_supervisor_beats_while_its_worker_lives(tmp_path, sidecar):
    begun, go_on = tmp_path / "begun", tmp_path / "go on"
    script = f"until test -e '{go_on}'; do sleep 0.01; done"
    started = run(tmp_path, sidecar, "sh", "-c", f"touch '{begun}'; {script}")
    ended = threading.Event()
    while not rows(sidecar, "heartbeat"):
        assert not ended.wait(0.01)
    assert rows(sidecar, "process") == [("main", "e1", started.pid, started.process_start)]
    go_on.touch()
    assert workers.wait(tmp_path / "run").cause == "exited"
    assert rows(sidecar, "heartbeat") == rows(sidecar, "process") == []


def test_a_lost_workers_rows_are_taken_away_by_who_finds_it(tmp_path, sidecar):
    started = run(tmp_path, sidecar, "sleep", "600")
    while not rows(sidecar, "heartbeat"):
        assert workers.observe(tmp_path / "run").alive
    os.kill(started.supervisor_pid, signal.SIGKILL)
    assert workers.wait(tmp_path / "run").cause == "lost"
    assert rows(sidecar, "heartbeat") == rows(sidecar, "process") == []


@pytest.mark.parametrize("trouble", ["missing", "locked", "broken", "directory"])
def test_trouble_with_the_sidecar_is_no_trouble_of_the_worker(tmp_path, sidecar, trouble):
    holder = schema.connect(sidecar)
    with closing(holder):
        if trouble == "locked":
            holder.execute("BEGIN EXCLUSIVE")
        else:
            for suffix in ("", "-wal", "-shm"):
                sidecar.with_name(sidecar.name + suffix).unlink()
        if trouble == "broken":
            sidecar.write_bytes(b"x" * 4096)
        if trouble == "directory":
            sidecar.mkdir()
        run(tmp_path, sidecar, "sh", "-c", "sleep 0.3; echo done")
        ended = workers.wait(tmp_path / "run")
    assert (ended.code, ended.cause, ended.detail) == (0, "exited", "")
    assert ended.wall_s < 20
    assert (tmp_path / "run" / "supervisor.log").read_bytes() == b""
