"""An exit is recorded once, whatever dies while it is, and whoever waits."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from gitcto.runtime.worker import run_files, workers


def traceable() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "true"], check=False, capture_output=True).returncode == 0


@contextlib.contextmanager
def killed_at(pid, call, when=1):
    """Kill a process when it enters a system call for the nth time from here on."""
    inject = f"inject={call}:signal=KILL:when={when}"
    argv = ["strace", "-p", str(pid), "-e", f"trace={call}", "-e", inject]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as tracer:
        assert "attached" in tracer.stderr.readline()
        yield
        assert "+++ killed by SIGKILL +++" in tracer.stderr.read()


needs_strace = pytest.mark.skipif(not traceable(), reason="needs strace, and leave to trace")


@needs_strace
@pytest.mark.parametrize(
    ("call", "when", "cause"),
    [
        pytest.param("ftruncate", 1, "lost", id="while the output is cut"),
        pytest.param("fsync", 1, "lost", id="before the record is on disk"),
        pytest.param("rename", 1, "lost", id="before the record has its name"),
        pytest.param("fsync", 2, "exited", id="after the record has its name"),
    ],
)
def test_a_supervisor_killed_while_it_finishes(bench, call, when, cause):
    gate = bench.fifo("gate")
    started = bench.spawn("sh", "-c", f"read line < '{gate}'; seq 1000; exit 5", output_bytes=1000)
    with killed_at(started.supervisor_pid, call, when):
        gate.write_text("go\n")
        told = wait_together(bench, 4)
    assert len(set(told)) == 1
    assert told[0].cause == cause
    assert told[0].code == (5 if cause == "exited" else workers.LOST)
    assert told[0].survivors == 0
    assert workers.wait(bench.run_dir) == workers.observe(bench.run_dir).exit == told[0]
    assert bench.output().startswith(b"1\n2\n")
    assert bench.output().count(b"bytes cut here") == 1
    assert bench.output().endswith(b"\n999\n1000\n")


def wait_together(bench, count):
    told: list[workers.Exit] = []
    waiters = [
        threading.Thread(target=lambda: told.append(workers.wait(bench.run_dir)))
        for _ in range(count)
    ]
    for waiter in waiters:
        waiter.start()
    for waiter in waiters:
        waiter.join()
    return told


WAIT = """
ended = workers.wait(Path("run one"))
print(ended, flush=True)
"""


def test_waiters_in_several_processes_are_told_the_same(bench):
    started = bench.spawn("sleep", "600")
    others = [bench.orchestrator(WAIT, []) for _ in range(3)]
    os.kill(started.supervisor_pid, signal.SIGKILL)
    mine = workers.wait(bench.run_dir)
    told = {other.communicate()[0].decode() for other in others}
    assert told == {f"{mine}\n"}
    assert mine.cause == "lost"


@needs_strace
def test_a_waiter_that_is_killed_while_it_cleans_up_leaves_it_to_the_next(bench):
    started = bench.spawn("sleep", "600")
    other = bench.orchestrator("print(flush=True)\n" + WAIT, [])
    other.stdout.readline()
    with killed_at(other.pid, "rename"):
        os.kill(started.supervisor_pid, signal.SIGKILL)
    assert other.communicate() == (b"", None)
    assert workers.observe(bench.run_dir).exit is None
    ended = workers.wait(bench.run_dir)
    assert ended == workers.observe(bench.run_dir).exit
    assert (ended.cause, ended.survivors) == ("lost", 0)


def test_what_nobody_can_record_is_found_again_by_the_next_who_waits(bench):
    started = bench.spawn("sh", "-c", "sleep 600 & sleep 600")
    os.kill(started.supervisor_pid, signal.SIGKILL)
    (bench.run_dir / "exited.json").mkdir()  # so that nobody can record it
    first = workers.wait(bench.run_dir)
    assert (first.cause, first.survivors) == ("lost", 0)
    assert workers.observe(bench.run_dir).exit is None
    (bench.run_dir / "exited.json").rmdir()
    second = workers.wait(bench.run_dir)
    assert second == workers.observe(bench.run_dir).exit
    assert (second.cause, second.survivors) == ("lost", 0)


def test_the_times_of_the_ladder_are_on_disk(bench):
    ready = bench.fifo("ready")
    script = f"trap '' INT TERM; echo > '{ready}'; while :; do sleep 600; done"
    bench.spawn("sh", "-c", script, grace_s=0.1)
    ready.read_text()
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    record = run_files.read_record(str(bench.run_dir), run_files.EXITED)
    assert record["ladder"] == [{"signal": rung.signal, "at_s": rung.at_s} for rung in ended.ladder]
    assert [rung.signal for rung in ended.ladder] == ["SIGINT", "SIGTERM", "SIGKILL"]


SHORT = """
import resource, sys
from gitcto.runtime.worker import run_files
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    run_files.write_record(sys.argv[1], run_files.EXITED, {"detail": "x" * 5000})
except OSError as error:
    print(error.strerror)
"""


def test_a_record_that_the_disk_took_only_a_part_of_is_none(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SHORT, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout == "File too large\n"
    assert run_files.read_record(str(tmp_path), run_files.EXITED) is None
    assert list(tmp_path.iterdir()) == []
