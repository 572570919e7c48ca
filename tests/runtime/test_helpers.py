"""Helpers are there before the worker, are not the worker's, and are gone when it is."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

from gitcto import proxy
from gitcto.runtime.worker import helpers, workers
from gitcto.runtime.worker.helpers import Helpers

HELPER = """
import fcntl, os, sys, time
lock = os.open("lock", os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_SH)
with open("facts", "w") as facts:
    mine = sorted(set(os.environ) - {"LC_CTYPE"})
    print(*mine, os.getsid(0) == os.getpid(), os.read(0, 1), file=facts)
os.write(1, b"+")
"""
"""What every helper here does first; it works in the directory it is told of."""

STAY = "time.sleep(600)"
BURN = "while True: pass"
LEAVE_A_DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    os.set_inheritable(lock, True)
    os.execve("/bin/sleep", ["sleep", "600"], {})
time.sleep(600)
"""


def helper(bench, then=STAY):
    (bench.tmp / "lock").touch()
    code = f"import os; os.chdir({str(bench.tmp)!r})\n{HELPER}{then}"
    return (sys.executable, "-I", "-S", "-c", code)


def start(bench, *argv, then=STAY, **limits):
    return bench.start(bench.program(*argv, helpers=(helper(bench, then),)), **limits)


def test_it_is_ready_before_the_worker_and_gone_after_it(bench):
    start(bench, "cat", "facts")
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.detail) == (0, "exited", "")
    assert bench.output() == b"CTO_EXECUTION_DIR PATH True b''\n"
    assert not bench.held()


@pytest.mark.parametrize("then", [STAY, LEAVE_A_DAEMON], ids=["plain", "with a daemon"])
def test_it_lives_as_long_as_the_workers_tree(bench, then):
    ready = bench.fifo("ready")
    probe = (
        "import fcntl, os, signal, sys, time\n"
        "def tell(*_):\n"
        "    try:\n"
        "        fcntl.flock(os.open('lock', os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "        sys.exit('the helper is gone')\n"
        "    except BlockingIOError:\n"
        "        sys.exit(3)\n"
        "signal.signal(signal.SIGINT, tell)\n"
        f"open({str(ready)!r}, 'w').close()\n"
        "time.sleep(600)\n"
    )
    start(bench, sys.executable, "-c", probe, then=then)
    ready.read_text()
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.survivors) == (3, "stopped", 0)
    assert not bench.held()


def test_several_are_all_ready_before_the_worker(bench):
    code = "import time; open({0!r}, 'w').close(); print(flush=True); time.sleep(600)"
    said = [(sys.executable, "-c", code.format(str(bench.tmp / name))) for name in ("one", "two")]
    bench.start(bench.program("ls", "one", "two", helpers=tuple(said)))
    assert workers.wait(bench.run_dir).code == 0


@pytest.mark.parametrize(
    ("then", "detail"),
    [
        ("sys.exit('no more sockets')", "ended first: no more sockets"),
        ("os.kill(0, 9)", "ended first"),
    ],
)
def test_one_that_ends_first_ends_the_worker(bench, then, detail):
    start(bench, "sleep", "600", then=then)
    ended = workers.wait(bench.run_dir)
    assert ended.cause == "helper"
    assert detail in ended.detail


@pytest.mark.parametrize(
    ("program", "detail"),
    [
        (("/no/such/helper",), "did not get ready: cannot start '/no/such/helper'"),
        ((sys.executable, "-c", "raise SystemExit('taken')"), "did not get ready: taken"),
        (("sh", "-c", "exec >&-; exec sleep 600"), "did not get ready"),
    ],
)
def test_without_its_helper_the_worker_never_runs(bench, program, detail):
    bench.start(bench.program("touch", "ran", helpers=(program,)))
    ended = workers.wait(bench.run_dir)
    assert ended.cause == "helper"
    assert detail in ended.detail
    assert ended.survivors == 0
    assert not (bench.tmp / "ran").exists()


def test_a_stop_is_heeded_while_a_helper_gets_ready(bench):
    bench.start(bench.program("touch", "ran", helpers=(("sleep", "600"),)))
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.cause, ended.survivors) == ("stopped", 0)
    assert ended.wall_s < helpers.READY_S
    assert not (bench.tmp / "ran").exists()


@pytest.mark.slow
def test_one_that_never_gets_ready_is_given_up(bench):
    bench.start(bench.program("touch", "ran", helpers=(("sleep", "600"),)))
    ended = workers.wait(bench.run_dir)
    assert ended.cause == "helper"
    assert ended.detail.startswith("sleep did not get ready within 10 s")
    assert not (bench.tmp / "ran").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG, which is Linux")
def test_it_dies_with_its_supervisor_before_anybody_looks(bench, until):
    gate = bench.fifo("gate")
    started = start(bench, "cat", str(gate))
    until(lambda: (bench.tmp / "facts").exists() and bench.held())
    os.kill(started.supervisor_pid, signal.SIGKILL)
    until(lambda: not bench.held())
    assert workers.wait(bench.run_dir).cause == "lost"


def test_what_it_computes_is_no_sign_of_life_of_the_worker(bench):
    start(bench, "sleep", "600", then=BURN, idle_s=0.4)
    assert workers.wait(bench.run_dir).cause == "idle"


def test_it_is_not_among_the_workers_processes(bench):
    start(bench, "sleep", "0.3", processes=1, idle_s=5.0)
    assert workers.wait(bench.run_dir).cause == "exited"


def test_its_log_is_bounded_and_private(bench, until):
    flood = (
        "try:\n"
        f"    for _ in range(20): os.write(2, b'x' * {helpers.LOG_BYTES // 10})\n"
        "except OSError: open('refused', 'w').close()\n"
    )
    start(bench, "sleep", "600", then=f"{flood}{STAY}")
    log = bench.run_dir / "helper.1.log"
    until((bench.tmp / "refused").exists)
    assert log.stat().st_size == helpers.LOG_BYTES
    assert log.stat().st_mode & 0o777 == 0o600


ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as way:
    way.connect(sys.argv[1])
    way.sendall(f"CONNECT {sys.argv[2]} HTTP/1.1\\r\\n\\r\\n".encode())
    print(way.makefile().readline().split()[1])
"""


def test_our_proxy_is_a_helper(bench):
    way = bench.tmp / "proxy.sock"
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = f"127.0.0.1:{server.getsockname()[1]}"
        proxying = (sys.executable, "-I", "-S", proxy.__file__, str(way), there)
        argv = (sys.executable, "-c", ASK, str(way), there)
        bench.start(bench.program(*argv, helpers=(proxying,)))
        ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.detail) == (0, "exited", "")
    assert bench.output() == b"200\n"


def test_no_helpers_are_ready_at_once(tmp_path):
    none = Helpers(str(tmp_path), lambda _: False)
    assert none.start([]) == set()
    assert none.ready()
    assert none.failure() == ""
