"""Start one worker, hold it to its limits, end its whole tree, and record both durably.

The order is the promise. The worker is forked but held back until ``started.json`` is on disk, so
no worker runs that nobody knows; ``exited.json`` is written after the tree is gone, so who reads it
need not look for processes. A lock on ``alive``, taken by the orchestrator before this process
existed and inherited, tells others that this process lives; it goes with the process, however it
ends. Heartbeats and sandboxes are not built yet: the former belong in ``watch``, the latter wrap
argv before it gets here.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH110, PTH118

from __future__ import annotations

import os
import signal
import time

from gitcto.runtime import processes, run_files
from gitcto.runtime.capture import Capture
from gitcto.runtime.wakeups import Wakeups
from gitcto.runtime.worker_child import Child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KILL_S = 10.0
"""How long the end of a tree is pursued before survivors are reported."""

CHASES = 64
"""Quick looks at the newest processes between two readings of the whole table."""


def supervise(run_dir: str, alive_fd: int, ready_fd: int) -> None:
    """Run the worker described by ``<run_dir>/launch.json`` to its end.

    ``alive_fd`` holds the lock; one byte goes to ``ready_fd`` once ``started.json`` is durable.
    """
    os.set_inheritable(alive_fd, False)
    os.set_inheritable(ready_fd, False)
    launch = run_files.read_record(run_dir, run_files.LAUNCH)
    if launch is None:
        raise SystemExit(f"no {run_files.LAUNCH} in {run_dir}")
    supervision = Supervision(run_dir, launch, ready_fd)
    supervision.start()
    os.write(ready_fd, b"+")
    if not launch["tethered"]:
        os.close(ready_fd)
    supervision.release()
    cause = "lost"
    try:
        cause = supervision.watch()
        if cause != "exited":
            supervision.climb()
    finally:
        supervision.finish(cause)


class Supervision:
    """One worker under watch. All times are seconds of the monotonic clock."""

    def __init__(self, run_dir: str, launch: dict[str, Any], ready_fd: int) -> None:
        self._run_dir = run_dir
        self._launch = launch
        self._limits: dict[str, Any] = launch["limits"]
        self._subreaper = processes.become_subreaper()
        self._wakeups = Wakeups(run_dir, ready_fd if launch["tethered"] else None)
        names = (run_files.STDOUT, run_files.STDERR)[: 1 if launch["merged"] else 2]
        self._captures = [
            Capture(os.path.join(run_dir, name), self._limits["output_bytes"]) for name in names
        ]
        self._status: int | None = None
        self._ladder: list[dict[str, object]] = []
        self._usage: frozenset[tuple[int, str, str]] = frozenset()

    def start(self) -> None:
        """Fork the worker, held back, and make it known durably."""
        outputs = (self._captures[0].path, self._captures[-1].path)
        self._child = Child(self._launch, outputs)
        record = {
            "pid": self._child.pid,
            "process_start": processes.start_of(self._child.pid),
            "supervisor_pid": os.getpid(),
            "supervisor_start": processes.start_of(os.getpid()),
        }
        run_files.write_record(self._run_dir, run_files.STARTED, record)

    def release(self) -> None:
        """Let the worker go; its limits count from here."""
        self._released = self._active = self._looked = time.monotonic()
        self._child.release()

    def watch(self) -> str:
        """Return why the worker has ended or has to end."""
        while True:
            self._reap()
            if self._status is not None:
                return "exited"
            cause = self._excess(time.monotonic())
            if cause:
                return cause
            self._wakeups.wait(self._wall_left())

    def climb(self) -> None:
        """Ask the tree to end, first with SIGINT, then with SIGTERM, each with its grace."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._note(number)
            for process in self._tree().values():
                processes.send(process, number)
            deadline = time.monotonic() + self._limits["grace_s"]
            while time.monotonic() < deadline:
                self._reap()
                if self._status is not None:
                    return
                self._trim()
                self._wakeups.wait(deadline - time.monotonic())
        self._note(signal.SIGKILL)

    def finish(self, cause: str) -> None:
        """End what is left of the tree, close the output files and record the exit."""
        killed, survivors = self._end_tree()
        wall_s = round(time.monotonic() - self._released, 3)
        cut = [capture.close() for capture in self._captures]
        code, detail = self._verdict(killed, survivors)
        record = {
            "code": code,
            "cause": cause,
            "detail": detail,
            "wall_s": wall_s,
            "ladder": self._ladder,
            "survivors": survivors,
            "cut_bytes": sum(cut),
        }
        run_files.write_record(self._run_dir, run_files.EXITED, record)

    def _verdict(self, killed: int, survivors: int) -> tuple[int, str]:
        notes = []
        code = -1 if self._status is None else os.waitstatus_to_exitcode(self._status)
        failure = self._child.failure()
        if failure is not None:
            code, reason = failure
            notes.append(reason)
        elif code < -1 or (code == -1 and self._status is not None):
            notes.append(f"killed by {signal.Signals(-code).name}")
            code = 128 - code
        if killed:
            notes.append(f"{killed} left behind and killed")
        if survivors:
            notes.append(f"survivors: {survivors}")
        return code, "; ".join(notes)

    def _excess(self, now: float) -> str:
        if self._trim():
            self._active = now
        if self._wakeups.stop_asked or os.path.exists(os.path.join(self._run_dir, run_files.STOP)):
            return "stopped"
        if any(capture.flooded for capture in self._captures):
            return "output"
        if self._wall_left() <= 0:
            return "wall"
        idle_s = self._limits["idle_s"]
        return "idle" if idle_s is not None and self._silent(now, idle_s) else ""

    def _silent(self, now: float, idle_s: float) -> bool:
        """Tell whether neither output nor CPU time was seen for ``idle_s``.

        The process table is read eight times per limit, at most each 10 ms, at least each 5 s.
        """
        if now - self._looked >= min(max(idle_s / 8, 0.01), 5.0):
            self._looked = now
            usage = frozenset((p.pid, p.start, p.cpu) for p in self._tree().values())
            if usage != self._usage:
                self._usage = usage
                self._active = now
        return now - self._active >= idle_s

    def _wall_left(self) -> float:
        wall_s = self._limits["wall_s"]
        return float("inf") if wall_s is None else self._released + wall_s - time.monotonic()

    def _trim(self) -> bool:
        grew = [capture.trim() for capture in self._captures]
        return any(grew)

    def _tree(self) -> dict[int, processes.Process]:
        rows = processes.table()
        found = processes.descendants({os.getpid()}, rows)
        if not self._subreaper:  # orphans are init's: known by the group they did not leave
            group = {pid: row for pid, row in rows.items() if row.group == self._child.pid}
            found |= group | processes.descendants(group, rows)
        return found

    def _end_tree(self) -> tuple[int, int]:
        """SIGKILL until nothing is left; return how many were killed and how many survived.

        What is only met while chasing is killed but not counted. With a subreaper
        ``ECHILD`` is the kernel's word that no descendant is left.
        """
        deadline = time.monotonic() + KILL_S
        killed: set[tuple[int, str]] = set()
        while True:
            childless = self._reap()
            if childless and self._subreaper:
                return len(killed), 0
            tree = self._tree()
            if childless and not tree:
                return len(killed), 0
            for process in tree.values():
                processes.send(process, signal.SIGKILL)
                if process.pid != self._child.pid:
                    killed.add((process.pid, process.start))
            if time.monotonic() > deadline:
                return len(killed), len(tree)
            self._trim()
            self._wakeups.wait(0.005)
            for _ in range(CHASES):  # who forks faster than the whole table can be read
                for pid in processes.newest_children(8):
                    os.kill(pid, signal.SIGKILL)

    def _reap(self) -> bool:
        """Collect ended children; return whether there is no child left at all."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self._child.pid:
                self._status = status

    def _note(self, number: signal.Signals) -> None:
        at_s = round(time.monotonic() - self._released, 3)
        self._ladder.append({"signal": number.name, "at_s": at_s})
