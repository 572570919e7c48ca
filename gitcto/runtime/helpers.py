"""A worker's helper: the proxy that is its way out of its sandbox, in a process of its own.

It is forked before the worker and ends after it. It is neither the worker's, which could end it, nor
the supervisor's, which has to stay what it is while the proxy reads what a worker says. Where the
kernel can do that, it is killed with its supervisor, however that ended; elsewhere it finds out.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import os
import resource
import signal
import sys

from gitcto.runtime import processes, run_files
from gitcto.runtime.worker_child import plain_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, TypedDict

    class Way(TypedDict):
        """The proxy of a launch record; see ``worker_values.Way``."""

        socket: str
        destinations: list[str]


LAST_WORDS = 400
LOG_BYTES = 1 << 20
"""How much a helper may write to its log, or to any other file."""


class Helper:
    """The proxy of the worker of ``run_dir``; ``pid`` is its process."""

    def __init__(self, way: Way, run_dir: str) -> None:
        self._log = os.path.join(run_dir, run_files.HELPER_LOG)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        log = os.open(self._log, flags, 0o600)
        self._said, said = os.pipe()
        supervisor = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become(way, supervisor, (said, log))
        os.close(said)
        os.close(log)

    def ready(self) -> bool:
        """Wait until it listens; False when it ended instead."""
        try:
            return os.read(self._said, 1) == b"+"
        finally:
            os.close(self._said)

    def last_words(self) -> str:
        """Return the last line of its standard error after a colon, or nothing."""
        with open(self._log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_WORDS))
            lines = file.read().decode(errors="replace").split("\n")
        return next((f": {line}" for line in reversed(lines) if line.strip()), "")


def _become(way: Way, supervisor: int, outputs: tuple[int, int]) -> NoReturn:
    try:
        processes.die_with_parent(supervisor)
        plain_signals()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # errors, as in any Python
            signal.signal(number, signal.SIG_IGN)
        os.setsid()
        resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_BYTES, LOG_BYTES))
        said, log = outputs
        os.dup2(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), 0)
        os.dup2(0, 1)
        os.dup2(log, 2)
        os.dup2(said, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        from gitcto.proxying import serve

        serve(way["socket"], tuple(way["destinations"]), 3)
    except BaseException:  # noqa: BLE001  (whatever it is, nothing else may run in this process)
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        os._exit(1)
