"""What can wake a supervisor: a child's end, a request to stop, its tether, output, the clock."""

from __future__ import annotations

import os
import select
import signal

from gitcto.runtime.worker.processes import LINUX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

IN_MODIFY_CREATE_MOVED_TO = 0x002 | 0x100 | 0x080
NOISE_GAP_S = 0.005

TICK_S = 0.15
"""How long a supervisor sleeps when nothing wakes it: its limits are looked at each time."""


class Wakeups:
    """Sleeps until something may have happened in ``run_dir``; the caller looks what it was.

    ``tether`` is the writing end of a pipe: when its last reader is gone, stop is asked.
    """

    def __init__(self, run_dir: str, tether: int | None) -> None:
        self.stop_asked = False
        self._tether = tether
        self._signals = self._catch_signals()
        self._output = _watch_directory(run_dir)
        self._noisy = False
        self._urgent = select.poll()
        self._all = select.poll()
        for poll in (self._urgent, self._all):
            poll.register(self._signals, select.POLLIN)
            if tether is not None:
                poll.register(tether, 0)
        if self._output is not None:
            self._all.register(self._output, select.POLLIN)
        self.tick_s = 0.02 if self._output is None else TICK_S

    def wait(self, timeout_s: float) -> None:
        """Sleep at most ``timeout_s`` or one tick; constant output wakes at most every 5 ms."""
        seconds = max(0.0, min(timeout_s, self.tick_s))
        if self._noisy:
            events = self._urgent.poll(min(seconds, NOISE_GAP_S) * 1000)
        else:
            events = self._all.poll(seconds * 1000 + 1)
        self._noisy = False
        for fd, _ in events:
            if fd == self._tether:
                self.stop_asked = True
                self._urgent.unregister(fd)
                self._all.unregister(fd)
            else:
                self._noisy = fd == self._output or self._noisy
                os.read(fd, 1 << 16)

    def _catch_signals(self) -> int:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _nothing)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_stop)
        return reading

    def _ask_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_asked = True


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """Be a handler: an ignored SIGCHLD would reap children behind our back."""


def _watch_directory(path: str) -> int | None:
    """Return an inotify descriptor that becomes readable on writes; None: look at every tick."""
    if not LINUX:
        return None
    try:
        import ctypes

        libc = ctypes.CDLL(None)
        fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if fd < 0:
            return None
        if libc.inotify_add_watch(fd, os.fsencode(path), IN_MODIFY_CREATE_MOVED_TO) < 0:
            os.close(fd)
            return None
    except (ImportError, OSError, AttributeError):
        return None
    return fd
