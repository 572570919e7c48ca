"""Helpers: programs that a worker needs outside its sandbox, such as its way to the network.

They start before the worker and end after it. A helper says that it is ready by one byte on its
standard output; that pipe stays open as long as the supervisor lives. Where the kernel can do that,
a helper is killed with its supervisor, however that ended; elsewhere it is found by its marker.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH118, PTH119, PTH123

from __future__ import annotations

import os
import resource
import select
import time

from gitcto.runtime.worker import processes, run_files
from gitcto.runtime.worker.worker_child import NOT_FOUND, plain_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

READY_S = 10.0
"""How long a helper may take to get ready."""

LOOK_MS = 50
LAST_WORDS = 400
LOG_BYTES = 1 << 20
"""How much a helper may write to its log, or to any other file."""


class Helper:
    """One helper; ``log`` is the file in ``run_dir`` that its standard error goes to."""

    def __init__(self, argv: list[str], run_dir: str, number: int) -> None:
        self.log = os.path.join(run_dir, f"{run_files.HELPER}{number}.log")
        self.name = next((os.path.basename(word) for word in argv if word.endswith(".py")), argv[0])
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        log = os.open(self.log, flags, 0o600)
        self.said, said = os.pipe()
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become(argv, run_dir, supervisor, (said, log))
        os.close(said)
        os.close(log)

    def last_words(self) -> str:
        """Return the last line of its standard error after a colon, or nothing."""
        with open(self.log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_WORDS))
            lines = file.read().decode(errors="replace").split("\n")
        return next((f": {line}" for line in reversed(lines) if line.strip()), "")


class Helpers:
    """All helpers of one worker. ``ended`` tells whether a child of this process has ended."""

    def __init__(self, run_dir: str, ended: Callable[[int], bool]) -> None:
        self._run_dir = run_dir
        self._ended = ended
        self._all: list[Helper] = []
        self._silent: dict[int, Helper] = {}
        self._mute: Helper | None = None
        self._deadline = 0.0

    def start(self, programs: list[list[str]]) -> set[int]:
        """Start them all and return their pids."""
        self._deadline = time.monotonic() + READY_S
        for number, argv in enumerate(programs, start=1):
            helper = Helper(argv, self._run_dir, number)
            self._all.append(helper)
            self._silent[helper.said] = helper
        return {helper.pid for helper in self._all}

    def ready(self) -> bool:
        """Wait a moment for those that are not ready; return whether all are."""
        poll = select.poll()
        for said in self._silent:
            poll.register(said, select.POLLIN)
        for said, _ in poll.poll(LOOK_MS) if self._silent else ():
            helper = self._silent.pop(said)
            if not os.read(said, 1):
                self._mute = helper
        return not self._silent and self._mute is None

    def failure(self) -> str:
        """Return which helper failed and how, or nothing as long as all do their duty."""
        for helper in self._all:
            if helper is self._mute or (helper.said in self._silent and self._ended(helper.pid)):
                return f"{helper.name} did not get ready{helper.last_words()}"
            if self._ended(helper.pid):
                return f"{helper.name} ended first{helper.last_words()}"
        if self._silent and time.monotonic() >= self._deadline:
            late = next(iter(self._silent.values()))
            return f"{late.name} did not get ready within {READY_S:g} s{late.last_words()}"
        return ""


def _become(argv: list[str], run_dir: str, supervisor: int, outputs: tuple[int, int]) -> NoReturn:
    try:
        processes.die_with_parent(supervisor)
        plain_signals()
        os.setsid()
        resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_BYTES, LOG_BYTES))
        os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0)
        for target, source in enumerate(outputs, start=1):
            os.dup2(source, target)
        env = {"PATH": os.defpath, run_files.MARKER: run_dir}
        os.execvpe(argv[0], argv, env)  # noqa: S606  (an argv, no shell: the point)
    except (OSError, ValueError) as error:
        os.write(2, f"cannot start {argv[0]!r}: {error}\n".encode(errors="replace"))
    finally:
        os._exit(NOT_FOUND)
