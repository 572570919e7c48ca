"""What a worker takes too much of ends it, at once and wholly; what it may take does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gitcto.runtime.worker import processes, workers
from gitcto.runtime.worker.watchdogs import Watchdogs

MIB = 1 << 20
linux = pytest.mark.skipif(
    sys.platform != "linux", reason="the newest pid and available memory are told by Linux only"
)

ALLOCATE = """
held = []
while True:
    held.append(b"x" * (8 << 20))
"""
BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
ZOMBIES = """
import os, time
for _ in range(60):
    if os.fork() == 0:
        os._exit(0)
time.sleep(600)
"""
THREADS = """
import threading
never = threading.Event()
while True:
    threading.Thread(target=never.wait).start()
"""
SHARE = """
import os, sys
held = b"x" * (64 << 20)
for _ in range(5):
    if os.fork() == 0:
        break
else:
    print("ready", flush=True)
sys.stdin.read()
"""
HEADLESS = """
import ctypes, fcntl, os, sys, threading, time
fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_SH)
def stay():
    with open(sys.argv[2], "w") as ready:
        ready.write("ready")
    threading.Event().wait(600)
pid = os.fork()
if pid == 0:
    threading.Thread(target=stay).start()
    ctypes.CDLL(None).pthread_exit(None)
while open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] != "Z":
    time.sleep(0.005)
"""


def python(code, *arguments):
    return (sys.executable, "-c", code, *arguments)


@pytest.mark.parametrize(
    ("program", "limits", "cause", "unit"),
    [
        pytest.param(ALLOCATE, {"memory_bytes": 200 * MIB}, "memory", "MiB", id="memory"),
        pytest.param(BOMB, {"processes": 50}, "processes", "processes", id="bomb"),
        pytest.param(ZOMBIES, {"processes": 50}, "processes", "processes", id="zombies"),
        pytest.param(THREADS, {"processes": 20}, "processes", "threads", id="threads"),
    ],
)
@linux
def test_a_storm_is_stopped_and_nothing_of_it_is_left(bench, program, limits, cause, unit):
    ended = bench.run(*python(program), **limits)
    assert (ended.code, ended.cause, ended.survivors) == (137, cause, 0)
    assert unit in ended.detail.partition(" of at most ")[0]
    assert [rung.signal for rung in ended.ladder] == ["SIGKILL"], "nobody is asked first"
    assert ended.wall_s < 20


def test_who_stays_within_the_limits_is_left_alone(bench):
    script = "for n in 1 2 3 4; do sleep 0.1 & done; wait; dd if=/dev/zero of=x bs=1024 count=64"
    program = bench.program("sh", "-c", script, writes=(bench.tmp,))
    limits = {"processes": 8, "memory_bytes": 512 * MIB, "file_bytes": MIB, "disk_bytes": 8 * MIB}
    bench.start(program, **limits, idle_s=5.0)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.detail) == (0, "exited", "")


def watch(census, **limits):
    usual = {"idle_s": None, "memory_bytes": None, "processes": None, "disk_bytes": None}
    return Watchdogs({"limits": usual | limits, "writes": []}, census, 0.0)


@linux
def test_memory_that_is_shared_counts_once():
    with subprocess.Popen(python(SHARE), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as family:
        family.stdout.readline()

        def census():
            rows = processes.census()
            return {family.pid: rows[family.pid]} | processes.descendants({family.pid}, rows)

        assert sum(row.resident for row in census().values()) > 300 * MIB
        assert watch(census, memory_bytes=200 * MIB).look(0.0) == ""
        low = watch(census, memory_bytes=50 * MIB)
        assert low.look(0.0) == "memory"
        assert low.detail.endswith(" MiB of memory of at most 50")


@linux
def test_the_table_is_read_when_so_many_pids_are_gone_that_the_limit_may_be_reached():
    counted = []

    def census():
        counted.append(processes.last_pid())
        return {}

    dogs = watch(census, processes=20)
    assert dogs.look(0.0) == ""
    assert dogs.look(0.2) == "", "nothing can have happened"
    assert len(counted) == 1
    for _ in range(21):
        subprocess.run(["true"], check=True)
    dogs.look(0.4)
    assert len(counted) == 2


def test_silence_is_measured_from_the_last_sign_of_life():
    usage = ["1"]

    def census():
        row = processes.Process(pid=7, parent=1, group=7, session=7, start="s", cpu=usage[0])
        return {7: row}

    dogs = watch(census, idle_s=8.0)
    assert dogs.look(0.0) == ""
    dogs.saw_output(5.0)
    assert dogs.look(12.5) == ""
    usage[0] = "2"
    assert dogs.look(13.0) == "", "it has computed since it was last counted"
    assert dogs.look(20.8) == ""
    assert dogs.look(21.0) == "idle"


@linux
def test_a_process_whose_first_thread_has_ended_is_not_taken_for_dead(bench):
    (bench.tmp / "lock").touch()
    ready = bench.fifo("ready")
    bench.spawn(*python(HEADLESS, str(bench.tmp / "lock"), str(ready)))
    ready.read_text()
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.survivors) == (0, 0)
    assert not bench.held()


def test_no_file_may_be_larger_than_the_limit(bench):
    script = "dd if=/dev/zero of=large bs=65536 count=32; echo $?"
    ended = bench.run("sh", "-c", script, file_bytes=MIB)
    assert (ended.code, ended.cause) == (0, "exited")
    assert bench.output() != b"0\n"
    assert (bench.tmp / "large").stat().st_size == MIB


def test_output_as_long_as_the_largest_file_ends_the_worker(bench):
    ended = bench.run("seq", "1000000", file_bytes=MIB, output_bytes=1000)
    assert ended.cause == "output"
    assert ended.cut_bytes == MIB - 1000
    assert bench.output().startswith(b"1\n2\n")


INHERIT = """
import resource
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
limits = workers.Limits(wall_s=50, idle_s=None, output_bytes=1000, file_bytes=1 << 20)
env = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
program = workers.Program(argv=tuple(sys.argv[1:]), env=env, cwd=Path())
print(workers.run_command(program, limits, Path()).output.decode(), end="")
"""


def test_a_lower_limit_of_files_is_not_raised_and_no_core_is_written(bench):
    ask = "import resource as r; print(*map(r.getrlimit, (r.RLIMIT_FSIZE, r.RLIMIT_CORE)))"
    with bench.orchestrator(INHERIT, python(ask)) as other:
        told, _ = other.communicate()
    assert told == b"(8192, 8192) (0, 0)\n"


@linux
def test_only_who_may_takes_precedence_and_never_for_its_worker(bench):
    gate = bench.fifo("gate")
    started = bench.spawn("cat", str(gate))
    assert os.sched_getscheduler(started.pid) == os.SCHED_OTHER
    gate.write_text("go")
