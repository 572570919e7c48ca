"""Nothing of a worker outlives its end, whoever dies first; and nothing else is ever killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gitcto.runtime.worker import processes, workers
from gitcto.runtime.worker.sweep import sweep

SPAWN = """
limits = workers.Limits(wall_s=50, idle_s=None, output_bytes=1000)
env = {"PATH": "/usr/bin:/bin"}
program = workers.Program(argv=tuple(sys.argv[1:]), env=env, cwd=Path())
print(workers.spawn(Path("run one"), program, limits).pid, flush=True)
sys.stdin.read()
"""
COMMAND = """
limits = workers.Limits(wall_s=50, idle_s=None, output_bytes=1000)
program = workers.Program(argv=tuple(sys.argv[1:]), env={}, cwd=Path())
workers.run_command(program, limits, Path())
"""
RABBIT = """
import fcntl, os, sys, time
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_SH)
with open(sys.argv[2], "w") as ready:
    ready.write("ready")
end = time.monotonic() + 120  # should nobody catch it, it must not run for ever
while time.monotonic() < end:
    if os.fork():
        os._exit(0)
    os.setsid()
"""


def test_a_daemon_is_gone_before_the_exit_is_told(bench):
    bench.spawn(*bench.holding("leave"))
    bench.await_ready()  # the worker exits at once, so the daemon may be gone already
    ended = workers.wait(bench.run_dir)
    assert not bench.held()
    assert (ended.code, ended.cause, ended.survivors) == (0, "exited", 0)
    assert ended.detail == "1 left behind and killed"


def test_a_stopped_worker_takes_its_daemon_along(bench):
    bench.spawn(*bench.holding("scrub"))
    bench.await_holding()
    workers.request_stop(bench.run_dir)
    assert workers.wait(bench.run_dir).cause == "stopped"
    assert not bench.held()


def test_a_killed_orchestrator_costs_no_work(bench):
    gate = bench.fifo("gate")
    first = bench.orchestrator(SPAWN, ["sh", "-c", f"cat '{gate}'; exit 5"])
    assert first.stdout is not None
    pid = int(first.stdout.readline())
    first.kill()
    first.communicate()
    seen = workers.observe(bench.run_dir)
    assert (seen.alive, seen.exit) == (True, None)
    assert seen.started is not None
    assert seen.started.pid == pid
    gate.write_text("its answer")
    assert workers.wait(bench.run_dir).code == 5
    assert bench.output() == b"its answer"


@pytest.mark.parametrize("how", ["plain", "scrub", "leave"])
def test_a_killed_supervisor_is_a_lost_worker_and_nothing_stays(bench, how):
    gate = bench.fifo("gate")
    argv = bench.holding(how)
    started = bench.spawn("sh", "-c", f'"$@"; cat {gate}', "sh", *argv)
    bench.await_holding()
    os.kill(started.supervisor_pid, signal.SIGKILL)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.survivors) == (workers.LOST, "lost", 0)
    assert workers.wait(bench.run_dir) == ended == workers.observe(bench.run_dir).exit
    assert bench.held() is (how == "scrub"), "only what gave up every proof may escape"
    if how == "scrub":
        _end_sleepers(bench)


def test_the_output_of_a_lost_worker_is_bounded_too(bench):
    ready = bench.fifo("ready")
    started = bench.spawn("sh", "-c", f"seq 9999; echo > '{ready}'; sleep 600", output_bytes=100)
    ready.read_text()
    os.kill(started.supervisor_pid, signal.SIGKILL)
    assert workers.wait(bench.run_dir).cut_bytes > 0
    assert len(bench.output()) < 200


@pytest.mark.parametrize("kill_supervisor", [False, True])
def test_all_who_wait_are_told_the_same(bench, kill_supervisor):
    gate = bench.fifo("gate")
    started = bench.spawn("cat", str(gate))
    told: list[workers.Exit] = []
    waiters = [
        threading.Thread(target=lambda: told.append(workers.wait(bench.run_dir))) for _ in range(4)
    ]
    for waiter in waiters:
        waiter.start()
    if kill_supervisor:
        os.kill(started.supervisor_pid, signal.SIGKILL)
    else:
        gate.write_text("go")
    for waiter in waiters:
        waiter.join()
    assert len(told) == 4
    assert set(told) == {workers.observe(bench.run_dir).exit}
    assert told[0].cause == ("lost" if kill_supervisor else "exited")


def test_a_recycled_pid_is_not_killed():
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as innocent:
        start = processes.start_of(innocent.pid)
        assert sweep(marker="CTO_EXECUTION_DIR=/x", pid=innocent.pid, process_start="b:1") == (0, 0)
        stranger = processes.table()[innocent.pid]
        stranger.start = "b:1"
        assert not processes.send(stranger, signal.SIGKILL)
        assert innocent.poll() is None
        assert start
        sweep(marker="CTO_EXECUTION_DIR=/x", pid=innocent.pid, process_start=start)
        assert innocent.wait() == -signal.SIGKILL


def test_a_neighbour_with_a_longer_name_is_not_killed():
    env = {"CTO_EXECUTION_DIR": "/runs/12", "OTHER": "CTO_EXECUTION_DIR=/runs/1"}
    with subprocess.Popen(["sleep", "600"], env=env) as innocent:
        assert sweep(marker="CTO_EXECUTION_DIR=/runs/1", pid=0, process_start="") == (0, 0)
        assert innocent.poll() is None
        assert sweep(marker="CTO_EXECUTION_DIR=/runs/12", pid=0, process_start="") == (1, 0)


def test_an_endless_chain_of_forks_is_caught(bench):
    (bench.tmp / "lock").touch()
    ready = bench.fifo("ready")
    bench.spawn("python3", "-c", RABBIT, str(bench.tmp / "lock"), str(ready))
    ready.read_text()
    assert workers.wait(bench.run_dir).survivors == 0
    assert not bench.held()


def test_a_command_ends_with_the_process_that_asked_for_it(bench, until):
    asking = bench.orchestrator(COMMAND, bench.holding("scrub"))
    bench.await_holding()
    asking.kill()
    asking.communicate()
    until(lambda: not bench.held())


NOHUP = """
import os, signal, subprocess, sys
lock = os.open(sys.argv[1], os.O_RDWR)
hold = "import fcntl, sys; fcntl.flock(9, fcntl.LOCK_SH); open(sys.argv[1], 'w').write('ready');"
hold += "import os; os.execv('/bin/sleep', ['sleep', '600'])"
os.dup2(lock, 9)
script = 'nohup setsid "$0" -c "$1" "$2" >/dev/null 2>&1 &'
subprocess.run(["sh", "-c", script, sys.executable, hold, sys.argv[2]], pass_fds=[9])
"""


def test_what_was_started_by_nohup_is_gone_too(bench):
    (bench.tmp / "lock").touch()
    ready, alone = bench.fifo("ready"), bench.fifo("alone")
    bench.spawn(
        "sh",
        "-c",
        f'"$@"; echo > "{alone}"; exec sleep 600',
        "sh",
        *(sys.executable, "-c", NOHUP, str(bench.tmp / "lock"), str(ready)),
    )
    assert ready.read_text() == "ready"
    alone.read_text()
    assert bench.held()
    os.kill(workers.observe(bench.run_dir).started.pid, signal.SIGHUP)
    ended = workers.wait(bench.run_dir)
    assert ended.detail == "killed by SIGHUP; 1 left behind and killed"
    assert not bench.held()


def _end_sleepers(bench):
    lock = bench.tmp / "lock"
    for pid in set(processes.table()) - {os.getpid()}:
        try:
            holds = any(fd.samefile(lock) for fd in Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue
        if holds:
            os.kill(pid, signal.SIGKILL)
