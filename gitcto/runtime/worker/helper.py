"""A worker's helper: the proxy that is its way out of its sandbox, in a process of its own.

It is forked before the worker and ends with its tree. The supervisor does not do this itself: what
reads the words of a worker that nobody trusts must not be what watches over it. Where the kernel
can do that, it is killed with its supervisor, however that ended; elsewhere it finds out.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH108, PTH118, PTH119, PTH120, PTH123, PTH208

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys

from gitcto.runtime.worker import processes, run_files
from gitcto.runtime.worker.worker_child import plain_signals

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


def listen(path: str) -> int:
    """Return the descriptor of a new unix socket that listens, for its owner alone.

    Raises ``OSError``.
    """
    from _socket import AF_UNIX, SOCK_STREAM, socket  # by way of socket it takes 8 ms

    os.chdir(os.path.dirname(path) or ".")  # the name of a socket has room for 107 bytes
    name = os.path.basename(path)
    if os.path.lexists(name):  # that of a killed one
        os.unlink(name)
    os.umask(0o177)
    listener = socket(AF_UNIX, SOCK_STREAM)
    listener.bind(name)
    listener.listen()
    return listener.detach()


def _redirect(said: int, log: int) -> None:
    """Keep nothing of the supervisor's open: what it awaits the end of would never end."""
    for target, source in enumerate((os.open(os.devnull, os.O_RDONLY), said, log)):
        os.dup2(source, target)
    for fd in map(int, os.listdir("/dev/fd")):
        if fd > 2:  # noqa: PLR2004
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(fd)


def _become(way: Way, supervisor: int, outputs: tuple[int, int]) -> NoReturn:
    try:
        processes.die_with_parent(supervisor)
        plain_signals()
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # errors, as in any Python
            signal.signal(number, signal.SIG_IGN)
        os.setsid()
        resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_BYTES, LOG_BYTES))
        _redirect(*outputs)
        listener = listen(way["socket"])
        os.write(1, b"+")
        from gitcto.proxying import serve  # 10 ms that no start has to wait for

        serve(listener, tuple(way["destinations"]))
    except BaseException:  # noqa: BLE001  (whatever it is, nothing else may run in this process)
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)
