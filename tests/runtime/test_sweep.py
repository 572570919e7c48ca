"""What is found of a worker whose supervisor is gone."""

from __future__ import annotations

import subprocess

from gitcto.runtime import processes
from gitcto.runtime.sweep import sweep


def test_a_worker_that_is_not_yet_in_a_session_of_its_own_is_found() -> None:
    """It was let go, and neither had its session nor its environment when the supervisor died."""
    with subprocess.Popen(("/bin/sleep", "600"), env={}) as worker:
        start = processes.start_of(worker.pid) or ""
        try:
            assert sweep(marker="X=1", pid=worker.pid, process_start="another") == (0, 0)
            assert sweep(marker="X=1", pid=worker.pid, process_start=start) == (1, 0)
            assert worker.wait() == -9
        finally:
            worker.kill()
