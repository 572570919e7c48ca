"""Nothing that a killed process had started goes on once somebody else has taken over."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitcto.runtime.worker import run_files
from gitcto.runtime.worker.remains import end_commands, scene

HOLDING = """
import fcntl, os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
descriptor = os.open(sys.argv[1], os.O_RDWR)
os.set_inheritable(descriptor, True)
fcntl.flock(descriptor, fcntl.LOCK_EX)
with open(sys.argv[2], "w") as ready:
    ready.write("ready")
os.execv("/bin/sleep", ["sleep", "600"])
"""
"""A stubborn program that holds a lock for as long as it lives."""

STARTING = """
import sys
from pathlib import Path
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.remains import scene
how, place, *argv = sys.argv[1:]
program = workers.Program(argv=tuple(argv), env={}, cwd=Path("/"))
limits = workers.Limits(wall_s=60.0, idle_s=None, output_bytes=1 << 16, grace_s=0.1)
if how == "command":
    workers.run_command(program, limits, Path(place))
else:
    with scene(Path(place)) as made:
        workers.spawn(made / "run", program, limits)
        workers.wait(made / "run")
"""


class Doomed:
    """A process of ours that started something in ``place`` and can be killed."""

    def __init__(self, tmp: Path, how: str) -> None:
        self.place, self.lock = tmp / "place", tmp / "lock"
        self.place.mkdir()
        self.lock.touch()
        os.mkfifo(tmp / "ready")
        held = (sys.executable, "-I", "-c", HOLDING, str(self.lock), str(tmp / "ready"))
        argv = (sys.executable, "-c", STARTING, how, str(self.place), *held)
        self.process = subprocess.Popen(argv)
        assert (tmp / "ready").read_text() == "ready"

    def kill(self, *, supervisor_first: bool) -> None:
        (run_dir,) = self.place.glob(".probe.*/run" if self.scenes() else "command.*/run")
        record: Any = run_files.read_record(str(run_dir), run_files.STARTED)
        if supervisor_first:
            os.kill(self.process.pid, signal.SIGSTOP)
            os.kill(record["supervisor_pid"], signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def scenes(self) -> list[Path]:
        return list(self.place.glob(".probe.*"))

    def held(self) -> bool:
        descriptor = os.open(self.lock, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


@pytest.fixture
def doomed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Doomed]:
    made = Doomed(tmp_path, request.param)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.parametrize("doomed", ["command"], indirect=True)
@pytest.mark.parametrize("supervisor_first", [False, True])
def test_commands_of_a_killed_process_are_ended_and_removed(
    doomed: Doomed, supervisor_first: bool
) -> None:
    doomed.kill(supervisor_first=supervisor_first)
    end_commands(doomed.place)
    assert not doomed.held()
    assert list(doomed.place.iterdir()) == []


@pytest.mark.parametrize("doomed", ["scene"], indirect=True)
@pytest.mark.parametrize("supervisor_first", [False, True])
def test_the_scene_of_a_killed_probe_is_removed_by_the_next(
    doomed: Doomed, supervisor_first: bool
) -> None:
    doomed.kill(supervisor_first=supervisor_first)
    assert doomed.held()
    with scene(doomed.place) as made:
        assert doomed.scenes() == [made]
        assert not doomed.held()
    assert doomed.scenes() == []


@pytest.mark.parametrize("doomed", ["scene"], indirect=True)
def test_the_scene_of_a_living_probe_stays(doomed: Doomed) -> None:
    (theirs,) = doomed.scenes()
    with scene(doomed.place) as made:
        assert sorted(doomed.scenes()) == sorted((theirs, made))
    assert doomed.scenes() == [theirs]
    assert doomed.held()
    doomed.kill(supervisor_first=True)
    with scene(doomed.place):
        pass
    assert not doomed.held()


def test_a_half_removed_scene_is_removed(tmp_path: Path) -> None:
    (tmp_path / "..probe.abc.removing" / "room").mkdir(parents=True)
    with scene(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".probe-lock"]
