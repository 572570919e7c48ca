"""Real workers for the tests of the runtime: small programs, fifos and locks instead of sleeps."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.runtime.worker import workers
from gitcto.runtime.worker.workers import Exit, Heartbeat, Limits, Program, Started
from tests.sound import _teams_are_sound  # noqa: F401 - a fixture that every test gets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PATH = "/usr/local/bin:/usr/bin:/bin"

HOLD = """
import fcntl, os, sys

def hold():
    fd = os.open(sys.argv[1], os.O_RDWR)
    os.set_inheritable(fd, True)
    fcntl.flock(fd, fcntl.LOCK_SH)

how = sys.argv[3]
reading, writing = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    hold()
    os.write(writing, b"+")
    os.execve("/bin/sleep", ["sleep", "600"], {} if how == "scrub" else os.environ)
hold()
os.read(reading, 1)
with open(sys.argv[2], "w") as ready:
    ready.write("ready")
if how != "leave":
    os.execv("/bin/sleep", ["sleep", "600"])
"""
"""A worker with a daemon (double fork, own session); each holds the lock for as long as it lives.

``leave``: the worker exits and leaves the daemon; ``scrub``: the daemon empties its environment.
"""


@dataclass
class Bench:
    """A place to run workers; every worker still alive at the end is stopped."""

    tmp: Path
    runs: list[Path] = field(default_factory=list)

    def spawn(self, *argv: str, name: str = "run one", **limits: float | None) -> Started:
        return self.start(self.program(*argv), name=name, **limits)

    def start(
        self,
        program: Program,
        *,
        name: str = "run one",
        heartbeat: Heartbeat | None = None,
        **limits: float | None,
    ) -> Started:
        run_dir = self.tmp / name
        self.runs.append(run_dir)
        return workers.spawn(run_dir, program, limits_of(**limits), heartbeat)

    def program(self, *argv: str, **fields: Any) -> Program:
        """What ``argv`` in this directory is, with a path and nothing else unless told."""
        return Program(**{"argv": argv, "env": {"PATH": PATH}, "cwd": self.tmp} | fields)

    def run(self, *argv: str, name: str = "run one", **limits: float | None) -> Exit:
        self.spawn(*argv, name=name, **limits)
        return workers.wait(self.tmp / name)

    def output(self, name: str = "run one") -> bytes:
        return (self.tmp / name / "stdout.log").read_bytes()

    @property
    def run_dir(self) -> Path:
        return self.tmp / "run one"

    def fifo(self, name: str) -> Path:
        os.mkfifo(self.tmp / name)
        return self.tmp / name

    def holding(self, how: str) -> tuple[str, ...]:
        """The argv of a worker that holds the lock together with a daemon; see ``HOLD``."""
        (self.tmp / "lock").touch()
        ready = self.fifo("ready")
        return (sys.executable, "-c", HOLD, str(self.tmp / "lock"), str(ready), how)

    def await_ready(self) -> None:
        """Return when the worker and its daemon have taken the lock."""
        assert (self.tmp / "ready").read_text() == "ready"

    def await_holding(self) -> None:
        self.await_ready()
        assert self.held()

    def held(self) -> bool:
        """Whether any process of the holding worker still lives."""
        lock = os.open(self.tmp / "lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def orchestrator(self, code: str, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        """Another process that uses ``workers``; ``argv`` is its ``sys.argv[1:]``."""
        head = "import sys; from pathlib import Path; from gitcto.runtime.worker import workers\n"
        return subprocess.Popen(
            [sys.executable, "-c", head + code, *argv], cwd=self.tmp, stdout=subprocess.PIPE
        )


def limits_of(**given: float | None) -> Limits:
    usual = {"wall_s": 50.0, "idle_s": None, "output_bytes": 1 << 20, "grace_s": 20.0}
    return Limits(**usual | given)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    for run_dir in made.runs:
        if workers.observe(run_dir).alive:
            workers.request_stop(run_dir)
        workers.wait(run_dir)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    def wait_until(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < deadline, "it did not happen within 30 s"
            time.sleep(0.002)

    return wait_until
