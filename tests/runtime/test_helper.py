"""A worker's proxy is there before it, is not its own, and is gone when it is."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from gitcto.runtime.worker import processes, workers
from gitcto.runtime.worker.worker_values import Way

ASK = """
import socket, sys
at, there = sys.argv[1], sys.argv[2].encode()
with socket.create_server(("127.0.0.1", 0)) as door, socket.socket(socket.AF_UNIX) as way:
    way.connect(at)
    socket.send_fds(way, [b"0"], [door.fileno()])
    address = door.getsockname()
with socket.create_connection(address) as peer:
    peer.sendall(b"CONNECT " + there + b" HTTP/1.1\\r\\n\\r\\n")
    print(peer.makefile().readline().split()[1], flush=True)
"""
STAY = f"{ASK}\nimport time; time.sleep(600)"


def start(bench, *argv, to=("127.0.0.1:9",), **limits):
    way = Way(socket=bench.tmp / "proxy.sock", destinations=to)
    return bench.start(bench.program(*argv, way=way), **limits)


def asking(bench, program=ASK, there="127.0.0.1:8"):
    return sys.executable, "-c", program, str(bench.tmp / "proxy.sock"), there


def helper_of(started) -> processes.Process:
    family = processes.descendants({started.supervisor_pid}, processes.table())
    (found,) = [row for row in family.values() if row.pid != started.pid and row.session == row.pid]
    return found


def lives(process) -> bool:
    return processes.start_of(process.pid) == process.start


def test_it_is_ready_before_the_worker(bench):
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = f"127.0.0.1:{server.getsockname()[1]}"
        start(bench, *asking(bench, there=there), to=(there,))
        ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.detail) == (0, "exited", "")
    assert bench.output() == b"200\n"


def test_what_it_refuses_is_in_its_log_which_is_private(bench):
    start(bench, *asking(bench))
    assert workers.wait(bench.run_dir).code == 0
    log = bench.run_dir / "helper.log"
    assert bench.output() == b"403\n"
    assert "127.0.0.1:8 is not in `network`" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_it_is_there_while_the_worker_is_asked_to_end_and_gone_after_that(bench, until):
    """Asked by a signal, the worker asks the proxy once more."""
    ready = bench.tmp / "ready"
    last = f"""
import signal, time
asked = []
signal.signal(signal.SIGINT, lambda *_: asked.append(1))
open({str(ready)!r}, "w").close()
while not asked: time.sleep(0.01)
{ASK}
sys.exit(3)
"""
    started = start(bench, *asking(bench, last))
    until(ready.exists)
    helper = helper_of(started)
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.survivors) == (3, "stopped", 0)
    assert bench.output() == b"403\n"
    assert not lives(helper)


def test_one_that_ends_first_ends_the_worker(bench, until):
    started = start(bench, *asking(bench, STAY))
    until(lambda: bench.output() == b"403\n")
    os.kill(helper_of(started).pid, signal.SIGKILL)
    ended = workers.wait(bench.run_dir)
    assert ended.cause == "helper"
    assert ended.detail.startswith("its proxy ended first: proxy: 127.0.0.1:8 is not in")


def test_without_its_proxy_the_worker_never_runs(bench):
    (bench.tmp / "proxy.sock").mkdir()
    start(bench, "touch", "ran")
    ended = workers.wait(bench.run_dir)
    assert ended.cause == "helper"
    assert "its proxy did not get ready: " in ended.detail
    assert "Error" in ended.detail
    assert ended.survivors == 0
    assert not (bench.tmp / "ran").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG, which is Linux")
def test_it_dies_with_its_supervisor_before_anybody_looks(bench, until):
    started = start(bench, *asking(bench, STAY))
    until(lambda: bench.output() == b"403\n")
    helper = helper_of(started)
    os.kill(started.supervisor_pid, signal.SIGKILL)
    until(lambda: not lives(helper))
    assert workers.wait(bench.run_dir).cause == "lost"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_holds_nothing_of_its_supervisors(bench, until):
    """Not the lock that tells that one lives, no output of the worker, no pipe of either."""
    started = start(bench, *asking(bench, STAY))
    until(lambda: bench.output() == b"403\n")
    held = Path(f"/proc/{helper_of(started).pid}/fd")
    names = {int(each.name): str(each.readlink()) for each in held.iterdir()}
    assert names.pop(0) == os.devnull
    assert names.pop(1).startswith("pipe:")
    assert names.pop(2) == str(bench.run_dir / "helper.log")
    assert all(each.startswith("socket:") for each in names.values())


def test_it_is_no_sign_of_life_of_the_worker(bench):
    start(bench, "sleep", "600", idle_s=0.4)
    assert workers.wait(bench.run_dir).cause == "idle"


def test_it_is_not_among_the_workers_processes(bench):
    start(bench, "sleep", "0.3", processes=1, idle_s=5.0)
    assert workers.wait(bench.run_dir).cause == "exited"
