"""The supervisor as a program: what it loads, what a start costs, what it does to a file."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.runtime.worker import supervisor, workers

HEAVY = {
    "pathlib",
    "sqlite3",
    "dataclasses",
    "subprocess",
    "typing",
    "inspect",
    "logging",
    "tempfile",
    "site",
}
LOADED = f"""
import sys
sys.argv = ["x"]
sys.path.append({str(Path(supervisor.__file__).parents[3])!r})
import gitcto.runtime.worker.supervision
print(*sorted(sys.modules))
"""


def test_it_loads_nothing_heavy_and_nothing_installed():
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LOADED], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded & HEAVY == set()
    ours = {name for name in loaded if name.startswith("gitcto")}
    assert ours == {"gitcto", "gitcto.runtime", "gitcto.runtime.worker"} | {
        f"gitcto.runtime.worker.{name}"
        for name in (
            "capture",
            "disk_use",
            "helper",
            "processes",
            "run_files",
            "supervision",
            "wakeups",
            "watchdogs",
            "worker_child",
            "worker_tree",
        )
    }


def test_a_whole_supervision_costs_less_than_60_ms_of_cpu(bench):
    costs = []
    for number in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        bench.run("true", name=f"run {number}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(costs) < 0.060


def test_without_a_launch_record_it_says_so(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-I", "-S", supervisor.__file__, str(tmp_path)]
            + [str(file.fileno())] * 2,
            pass_fds=[file.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == f"no launch.json in {tmp_path}\n"


def test_a_supervisor_that_dies_at_once_is_a_spawn_error(bench):
    bench.run_dir.mkdir()
    (bench.run_dir / "stdout.log").touch()
    with pytest.raises(workers.SpawnError, match="FileExistsError"):
        bench.spawn("true")
    assert workers.observe(bench.run_dir).alive is False
