"""What a worker may use, looked at often and cheaply: its signs of life, its memory, its disk.

Every 150 ms three numbers of the whole system are read: the newest pid, the available memory and
the free disk. They bound what the worker can have gained since its own processes were counted, so
that the process table, which costs milliseconds, is read only when a limit can have been reached,
and every two seconds. Where the kernel does not tell, the two seconds are all.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH112, PTH123

from __future__ import annotations

import os

from gitcto.runtime.worker import processes
from gitcto.runtime.worker.disk_use import DiskUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

LOOK_S = 0.15
"""How long passes between two cheap looks."""

COUNT_S = 2.0
"""After how long the processes are counted although nothing has changed."""

THREADS_EACH = 16
"""How many threads a process may have, on an average of a tree at its limit of processes."""

MIB = 1 << 20


class Watchdogs:
    """Tells which limit a worker has exceeded; ``detail`` says by how much.

    All times are seconds of the monotonic clock. ``census`` returns the worker's processes.
    """

    def __init__(
        self, launch: dict[str, Any], census: Callable[[], dict[int, processes.Process]], now: float
    ) -> None:
        limits = launch["limits"]
        self.detail = ""
        self._census = census
        self._idle_s: float | None = limits["idle_s"]
        self._memory: int | None = limits["memory_bytes"]
        self._processes: int | None = limits["processes"]
        self._disk = _disk_use(launch["writes"], limits["disk_bytes"], now)
        self._active = now
        self._looked = self._counted = now - COUNT_S
        self._usage: frozenset[tuple[int, str, str]] = frozenset()
        self._tree: dict[int, processes.Process] = {}
        self._resident = 0
        self._newest: int | None = None
        self._available: int | None = None

    @property
    def in_haste(self) -> bool:
        """Whether the next look should come at once."""
        return self._disk is not None and self._disk.walking

    def saw_output(self, now: float) -> None:
        """Take note that the worker wrote something."""
        self._active = now

    def look(self, now: float) -> str:
        """Return the cause for which the worker has to end, or nothing."""
        if now - self._looked < self._pause() and not self.in_haste:
            return ""
        self._looked = now
        cause = ""
        if now - self._counted >= self._period() or self._may_have_grown():
            cause = self._count(now)
        if not cause and self._disk is not None and self._disk.exceeds(now, self._census):
            self.detail = f"more than {self._disk.limit // MIB} MiB on disk"
            cause = "disk"
        if not cause and self._is_silent(now):
            cause = self._count(now) or ("idle" if self._is_silent(now) else "")
        return cause

    def _is_silent(self, now: float) -> bool:
        return self._idle_s is not None and now - self._active >= self._idle_s

    def _pause(self) -> float:
        return LOOK_S if self._idle_s is None else min(LOOK_S, max(self._idle_s / 8, 0.01))

    def _period(self) -> float:
        """Return how often processes are counted: eight times per idle limit, or for the others."""
        period = 5.0 if self._idle_s is None else min(max(self._idle_s / 8, 0.01), 5.0)
        watched = self._memory is not None or self._processes is not None
        return min(period, COUNT_S) if watched else period

    def _may_have_grown(self) -> bool:
        """Tell whether so much is gone of the system that a limit can have been reached."""
        if self._processes is not None and self._newest is not None:
            newest = processes.last_pid()
            born = 0 if newest is None else newest - self._newest
            if born < 0 or born > self._processes - len(self._tree):  # below 0: it began anew
                return True
        if self._memory is not None and self._available is not None:
            taken = self._available - (_available() or 0)
            return taken > (self._memory - self._resident) // 2
        return False

    def _count(self, now: float) -> str:
        if self._processes is not None:
            self._newest = processes.last_pid()
        if self._memory is not None:
            self._available = _available()
        self._counted = now
        self._tree = self._census()
        usage = frozenset((row.pid, row.start, row.cpu) for row in self._tree.values())
        if usage != self._usage:
            self._usage = usage
            self._active = now
        return self._too_many() or self._too_much()

    def _too_many(self) -> str:
        if self._processes is None:
            return ""
        threads = sum(row.threads for row in self._tree.values())
        if len(self._tree) > self._processes:
            self.detail = f"{len(self._tree)} processes of at most {self._processes}"
        elif threads > self._processes * THREADS_EACH:
            self.detail = f"{threads} threads of at most {self._processes * THREADS_EACH}"
        else:
            return ""
        return "processes"

    def _too_much(self) -> str:
        """Compare memory with its limit: exactly only when a look at all pages once fails."""
        if self._memory is None:
            return ""
        self._resident = sum(row.resident for row in self._tree.values())
        if self._resident > self._memory:
            self._resident = sum(map(processes.share_of_memory, self._tree.values()))
        if self._resident <= self._memory:
            return ""
        self.detail = f"{self._resident // MIB} MiB of memory of at most {self._memory // MIB}"
        return "memory"


def _disk_use(writes: Iterable[str], limit: int | None, now: float) -> DiskUse | None:
    directories = [path for path in writes if os.path.isdir(path)]
    return DiskUse(directories, limit, now) if directories and limit is not None else None


def _available() -> int | None:
    """Return the memory in bytes that can be had without swapping; None where nobody says."""
    try:
        with open("/proc/meminfo", "rb") as file:
            for line in file:
                if line.startswith(b"MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
