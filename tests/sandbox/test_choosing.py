"""The probe: attacks that come through where nothing stops them, and the sandbox that is chosen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from gitcto.plugins import Plugins
from gitcto.runtime.host import probe_program
from gitcto.runtime.host.probing import MUST_STOP, choose_sandbox, put_to_the_test
from gitcto.runtime.worker import processes
from gitcto.runtime.worker.run_files import MARKER
from gitcto.runtime.worker.worker_values import Program

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def unconfined(request) -> Program:
    return Program(argv=request.argv, env=request.env, cwd=request.cwd)


@linux
def test_where_nothing_stops_them_all_attacks_come_through(tmp_path) -> None:
    results = put_to_the_test(unconfined, tmp_path)
    assert {name for name, result in results.items() if result == "stopped"} == {"daemon"}
    assert [path.name for path in tmp_path.iterdir()] == [".probe-lock"]


@linux
def test_the_daemon_is_real_too_but_for_the_supervisor(tmp_path) -> None:
    marker = f"{MARKER}={tmp_path}"
    words = (str(tmp_path), str(tmp_path / "victim"), "1", "9", "nonce")
    subprocess.run(
        [sys.executable, "-I", "-S", probe_program.__file__, *words],
        env=dict([marker.split("=", 1)]),
        check=True,
    )
    deadline = time.monotonic() + 20
    while not (found := processes.marked(os.fsencode(marker), rows := processes.table())):
        assert time.monotonic() < deadline  # amid an exec a process shows no environment
    [daemon] = found
    assert rows[daemon].parent != os.getpid()
    os.kill(daemon, signal.SIGKILL)


def test_a_sandbox_that_starts_nothing_proves_nothing(tmp_path) -> None:
    def starts_nothing(request) -> Program:
        return Program(argv=("true",), env=request.env, cwd=request.cwd)

    assert put_to_the_test(starts_nothing, tmp_path) == {}


@pytest.mark.usefixtures("bwrap")
def test_the_strongest_that_holds_is_chosen(tmp_path) -> None:
    plugins = Plugins.load(sys.path)
    chosen, failed = choose_sandbox(plugins, ("strict", "detect"), tmp_path, os.environ)
    assert (chosen.level, failed) == ("strict", ())
    assert set(chosen.probe.values()) == {"stopped"}
    assert set(chosen.probe) == MUST_STOP["strict"]
