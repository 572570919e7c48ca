"""The supervisor as a program: what it loads, what a start costs, what it does to a file."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitcto.runtime import capture, supervisor, workers

HEAVY = {"pathlib", "dataclasses", "subprocess", "typing", "inspect", "logging", "tempfile", "site"}
LOADED = f"""
import sys
sys.argv = ["x"]
sys.path.append({str(Path(supervisor.__file__).parents[2])!r})
import gitcto.runtime.supervision
print(*sorted(sys.modules))
"""


def test_it_loads_nothing_heavy_and_nothing_installed():
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LOADED], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert loaded & HEAVY == set()
    ours = {name for name in loaded if name.startswith("gitcto")}
    assert ours == {"gitcto", "gitcto.runtime"} | {
        f"gitcto.runtime.{name}"
        for name in ("capture", "processes", "run_files", "supervision", "wakeups", "worker_child")
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


@settings(deadline=None)
@given(size=st.integers(0, 400), bound=st.integers(0, 200))
def test_a_settled_file_is_whole_or_head_note_and_tail(tmp_path_factory, size, bound):
    data = bytes(number % 251 for number in range(size))
    path = tmp_path_factory.getbasetemp() / "settled"
    path.write_bytes(data)
    with path.open("r+b") as file:
        cut = capture.settle(file.fileno(), bound)
    head, tail = data[: bound // 2], data[size - (bound - bound // 2) :]
    note = b"\n[git-cto: %d bytes cut here, the limit is %d]\n" % (cut, bound)
    assert path.read_bytes() == (head + note + tail if cut else data)
    assert cut in {0, size - bound}
    assert cut or size <= bound + 60


def test_the_middle_of_a_growing_file_takes_no_room(tmp_path):
    grown = capture.Capture(str(tmp_path / "log"), 1 << 20)
    with (tmp_path / "log").open("ab", buffering=0) as worker:
        for _ in range(64):
            worker.write(b"x" * (1 << 20))
            assert grown.trim()
            assert (tmp_path / "log").stat().st_blocks * 512 <= (2 << 20) + (1 << 16)
        assert not grown.trim()
    assert not grown.flooded
    assert grown.close() == 63 << 20


def test_a_used_output_file_is_not_taken_over(tmp_path):
    (tmp_path / "log").touch()
    with pytest.raises(FileExistsError):
        capture.Capture(str(tmp_path / "log"), 10)


def test_a_supervisor_that_dies_at_once_is_a_spawn_error(bench):
    bench.run_dir.mkdir()
    (bench.run_dir / "stdout.log").touch()
    with pytest.raises(workers.SpawnError, match="FileExistsError"):
        bench.spawn("true")
    assert workers.observe(bench.run_dir).alive is False
