"""The processes of one worker: everything that descends from its supervisor but the helper."""

from __future__ import annotations

import os
import signal
import time

from gitcto.runtime.worker import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KILL_S = 10.0
"""How long the end of a tree is pursued before survivors are reported."""

CHASES = 64
"""Quick looks at the newest processes between two readings of the whole table."""


class WorkerTree:
    """The descendants of this process, found and ended; ``root`` is the worker's own pid.

    ``helper`` is the pid of a child that does not belong to the worker, and starts nothing.
    """

    def __init__(self) -> None:
        self.root = 0
        self.helper = 0
        self._subreaper = processes.become_subreaper()
        self._ended: dict[int, int] = {}

    def status(self, pid: int) -> int | None:
        """Return the wait status of a child that was reaped, or None."""
        return self._ended.get(pid)

    def reap(self) -> bool:
        """Collect ended children; return whether there is no child left at all."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid in {self.root, self.helper}:
                self._ended[pid] = status

    def census(self) -> dict[int, processes.Process]:
        """Return the worker's processes, zombies included."""
        rows = processes.census()
        found = processes.descendants({os.getpid()}, rows)
        if not self._subreaper:  # orphans are init's: known by the group they did not leave
            group = {pid: row for pid, row in rows.items() if row.group == self.root}
            found |= group | processes.descendants(group, rows)
        found.pop(self.helper, None)
        return found

    def ask_to_end(self, number: int) -> None:
        """Signal every living process, but not a sandbox around all others.

        The program at the root of a PID namespace takes everything in it along when it ends; who
        is in there would have no time to say a last word.
        """
        living = self._living()
        inside = [row for row in living if row.pid != self.root]
        wrapped = bool(inside) and all(processes.is_in_namespace(row.pid) for row in inside)
        for row in inside if wrapped else living:
            processes.send(row, number)

    def end(self, meanwhile: Callable[[], None]) -> tuple[int, int]:
        """SIGKILL until nothing is left; return how many were killed and how many survived.

        The helper goes with them. What is only met while chasing is killed but not counted. With a
        subreaper ``ECHILD`` is the kernel's word that no descendant is left.
        """
        deadline = time.monotonic() + KILL_S
        killed: set[tuple[int, str]] = set()
        if self.helper and self.helper not in self._ended:  # else its number may be another's
            os.kill(self.helper, signal.SIGKILL)
            meanwhile()
        while True:
            childless = self.reap()
            if childless and self._subreaper:
                return len(killed), 0
            living = self._living()
            if not living and childless:
                return len(killed), 0
            self._end_groups({row.group for row in living})
            for row in living:
                processes.send(row, signal.SIGKILL)
                if row.pid != self.root:
                    killed.add((row.pid, row.start))
            if time.monotonic() > deadline:
                return len(killed), len(living)
            meanwhile()
            for _ in range(CHASES):  # who forks faster than the whole table can be read
                self._chase()

    def _living(self) -> list[processes.Process]:
        return [row for row in self.census().values() if not row.zombie]

    def _end_groups(self, groups: set[int]) -> None:
        """Kill whole process groups: no fork in a group is missed, as one between two looks is.

        All of a group of the worker's are the worker's, for its sessions are. A number cannot
        become another's between reading the table and this: that takes all other pids first.
        """
        for group in groups - {os.getpgid(0)}:
            try:
                os.killpg(group, signal.SIGKILL)
            except OSError:
                continue

    def _chase(self) -> None:
        for pid in processes.newest_children(8) - {self.helper}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:  # the number of a thread, which is gone by itself
                continue
