"""What is found of a worker whose supervisor is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from gitcto.runtime.worker import processes
from gitcto.runtime.worker.sweep import sweep


def test_a_worker_that_is_not_yet_in_a_session_of_its_own_is_found(monkeypatch: Any) -> None:
    """It was let go, and neither had its session nor its environment when the supervisor died."""
    monkeypatch.setattr("gitcto.runtime.worker.sweep.EXEC_S", 0.1)
    with subprocess.Popen(("/bin/sleep", "600"), env={}) as worker:
        start = processes.start_of(worker.pid) or ""
        try:
            assert sweep(marker="X=1", pid=worker.pid, process_start="another") == (0, 0)
            assert sweep(marker="X=1", pid=worker.pid, process_start=start) == (1, 0)
            assert worker.wait() == -9
        finally:
            worker.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="environments are not shown here")
def test_a_process_amid_an_exec_is_found() -> None:
    """For that moment, a tenth of the time here, it shows no environment."""
    again = 'exec "$0" -c "$1" "$0" "$1"'
    for number in range(40):
        marker = f"MARK={os.getpid()}.{number}"
        argv = ("/bin/sh", "-c", again, "/bin/sh", again)
        name, _, value = marker.partition("=")
        with subprocess.Popen(argv, env={name: value}, start_new_session=True) as worker:
            try:
                sweep(marker=marker, pid=0, process_start="")
                assert worker.wait(5) == -9
            finally:
                worker.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="environments are not shown here")
def test_an_exec_that_takes_half_a_second_is_waited_for(monkeypatch: Any) -> None:
    """On a busy machine it does; what begins to write after the sweep is not taken up whole."""
    began, environments = time.monotonic(), processes.environments
    with subprocess.Popen(("/bin/sleep", "600"), env={"MARK": "slow"}) as worker:

        def shown(pids: Any) -> dict[int, list[bytes]]:
            found = environments(pids)
            if worker.pid in found and time.monotonic() - began < 0.5:
                found[worker.pid] = [b""]
            return found

        monkeypatch.setattr(processes, "environments", shown)
        start = processes.start_of(os.getpid()) or ""
        try:
            assert sweep(marker="MARK=slow", pid=0, process_start=start) == (1, 0)
            assert worker.wait(5) == -9
        finally:
            worker.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="environments are not shown here")
def test_who_is_older_than_the_worker_is_not_waited_for(monkeypatch: Any) -> None:
    monkeypatch.setattr("gitcto.runtime.worker.sweep.EXEC_S", 600)
    with subprocess.Popen(("/bin/sleep", "600"), env={}) as bystander:
        later = "boot:" + str(10**12)
        try:
            assert sweep(marker="X=1", pid=0, process_start=later) == (0, 0)
        finally:
            bystander.kill()
