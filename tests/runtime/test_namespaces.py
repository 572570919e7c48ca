"""Workers in a PID namespace of their own: asked to end as others, and wholly gone."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from gitcto.runtime.worker import processes, workers
from tests.runtime.test_workers_tree import RABBIT

WRAP = ("bwrap", "--dev-bind", "/", "/", "--proc", "/proc", "--unshare-pid", "--die-with-parent")


pytestmark = pytest.mark.usefixtures("bwrap")


@pytest.mark.parametrize("how", ["plain", "scrub", "leave"])
def test_an_end_leaves_nothing_in_the_namespace(bench, how):
    bench.spawn(*WRAP, *bench.holding(how))
    bench.await_ready()
    if how != "leave":
        assert bench.held()
        workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert not bench.held()
    assert ended.cause == ("exited" if how == "leave" else "stopped")
    assert ended.survivors == 0


@pytest.mark.parametrize("how", ["plain", "scrub"])
def test_a_killed_supervisor_takes_the_namespace_along_at_once(bench, until, how):
    started = bench.spawn(*WRAP, *bench.holding(how))
    bench.await_holding()
    os.kill(started.supervisor_pid, signal.SIGKILL)
    until(lambda: not bench.held())
    ended = workers.wait(bench.run_dir)
    assert (ended.cause, ended.survivors) == ("lost", 0)


def test_another_process_takes_over_and_ends_it(bench):
    bench.spawn(*WRAP, *bench.holding("scrub"))
    bench.await_holding()
    code = (
        "workers.request_stop(Path('run one'))\n"
        "ended = workers.wait(Path('run one'))\n"
        "print(ended.cause, ended.survivors)"
    )
    with bench.orchestrator(code, []) as other:
        told, _ = other.communicate()
    assert told == b"stopped 0\n"
    assert not bench.held()


def test_an_endless_chain_of_forks_in_a_namespace_is_caught(bench):
    (bench.tmp / "lock").touch()
    ready = bench.fifo("ready")
    argv = (sys.executable, "-c", RABBIT, str(bench.tmp / "lock"), str(ready))
    bench.spawn(*WRAP, *argv)
    ready.read_text()
    assert workers.wait(bench.run_dir).survivors == 0
    assert not bench.held()


def test_a_stop_gives_who_is_inside_time_for_a_last_word(bench):
    ready = bench.fifo("ready")
    script = f"trap 'echo bye; exit 7' INT; echo > '{ready}'; while :; do :; done"
    bench.spawn(*WRAP, "sh", "-c", script)
    ready.read_text()
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause) == (7, "stopped")
    assert bench.output() == b"bye\n"
    assert [rung.signal for rung in ended.ladder] == ["SIGINT"]


def test_who_is_inside_and_ignores_everything_is_killed(bench):
    ready = bench.fifo("ready")
    script = f"trap '' INT TERM; echo > '{ready}'; while :; do sleep 600; done"
    bench.spawn(*WRAP, "sh", "-c", script, grace_s=0.1)
    ready.read_text()
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.cause, ended.survivors) == ("stopped", 0)
    assert [rung.signal for rung in ended.ladder] == ["SIGINT", "SIGTERM", "SIGKILL"]


def test_a_bomb_in_a_namespace_is_stopped(bench):
    bomb = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    ended = bench.run(*WRAP, sys.executable, "-c", bomb, processes=50)
    assert (ended.cause, ended.survivors) == ("processes", 0)


def test_only_who_is_in_a_namespace_below_is_said_to_be(bench, until):
    gate = bench.fifo("gate")
    started = bench.spawn(*WRAP, "cat", str(gate))

    def inside():
        return processes.descendants({started.pid}, processes.table())

    until(lambda: any(map(processes.is_in_namespace, inside())))
    assert not processes.is_in_namespace(started.pid)
    assert not processes.is_in_namespace(os.getpid())
    gate.write_text("go")
