"""Start one worker, hold it to its limits, end its whole tree, and record both durably.

The order is the promise. The worker is forked but held back until ``started.json`` is on disk, so
no worker runs that nobody knows, and until its proxy is ready; ``exited.json`` is written after
the tree is gone, so who reads it need not look for processes. A lock on ``alive``, taken by the
orchestrator before this process existed and inherited, tells others that this process lives; it
goes with the process, however it ends.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH110, PTH118

from __future__ import annotations

import os
import signal
import time

from gitcto.runtime.worker import processes, run_files
from gitcto.runtime.worker.capture import Capture
from gitcto.runtime.worker.helper import Helper
from gitcto.runtime.worker.wakeups import Wakeups
from gitcto.runtime.worker.watchdogs import Watchdogs
from gitcto.runtime.worker.worker_child import Child
from gitcto.runtime.worker.worker_tree import WorkerTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gitcto.store.heartbeat import Pulse

AT_ONCE = frozenset({"memory", "processes", "disk"})
"""Causes that leave no time for the ladder: what has gone too far goes on while it is asked."""

BEAT_S = 5.0
RETRY_S = 0.5
"""How long passes between two heartbeats; and until the next try when one was not written."""

HASTE_S = 0.02
"""How long others may run between two slices of work that does not wait for the next look."""

FAREWELL_TRIES = 20

PROTOCOL = "protocol"
"""What the rung is called on which an agent is asked in its own protocol."""


def supervise(run_dir: str, alive_fd: int, ready_fd: int) -> None:
    """Run the worker described by ``<run_dir>/launch.json`` to its end.

    ``alive_fd`` holds the lock; one byte goes to ``ready_fd`` once ``started.json`` is durable.
    """
    os.set_inheritable(alive_fd, False)
    # A child that is stopped before it becomes a program would hold the lock after our death.
    os.register_at_fork(after_in_child=lambda: os.close(alive_fd))
    os.set_inheritable(ready_fd, False)
    launch = run_files.read_record(run_dir, run_files.LAUNCH)
    if launch is None:
        raise SystemExit(f"no {run_files.LAUNCH} in {run_dir}")
    supervision = Supervision(run_dir, launch, ready_fd)
    supervision.start()
    os.write(ready_fd, b"+")
    if not launch["tethered"]:
        os.close(ready_fd)
    cause = "lost"
    try:
        cause = supervision.prepare() or supervision.watch()
        if cause != "exited":
            supervision.climb(cause)
    finally:
        supervision.finish(cause)
    os.close(alive_fd)  # nobody has to wait for the kernel to clear this process away: 20 ms


class Supervision:
    """One worker under watch. All times are seconds of the monotonic clock."""

    def __init__(self, run_dir: str, launch: dict[str, Any], ready_fd: int) -> None:
        self._run_dir = run_dir
        self._launch = launch
        self._limits: dict[str, Any] = launch["limits"]
        self._tree = WorkerTree()
        self._helper: Helper | None = None
        self._wakeups = Wakeups(run_dir, ready_fd if launch["tethered"] else None)
        names = (run_files.STDOUT, run_files.STDERR)[: 1 if launch["merged"] else 2]
        self._captures = [self._capture(name) for name in names]
        self._ladder: list[dict[str, object]] = []
        self._detail = ""
        self._pulse: Pulse | None = None
        self._next_beat = 0.0

    def start(self) -> None:
        """Fork the worker, held back, and make it known durably; its helper comes first."""
        if self._launch["way"] is not None:
            self._helper = Helper(self._launch["way"], self._run_dir)
            self._tree.helper = self._helper.pid
        outputs = (self._captures[0].path, self._captures[-1].path)
        self._child = Child(self._launch, outputs)
        self._tree.root = self._child.pid
        self._released = time.monotonic()
        self._start = processes.start_of(self._child.pid)
        record = {
            "pid": self._child.pid,
            "process_start": self._start,
            "supervisor_pid": os.getpid(),
            "supervisor_start": processes.start_of(os.getpid()),
        }
        run_files.write_record(self._run_dir, run_files.STARTED, record)

    def prepare(self) -> str:
        """Let the worker go when its helper is ready; return why it must not start, or nothing.

        Its limits count from here.
        """
        if self._helper is not None and not self._helper.ready():
            self._detail = f"its proxy did not get ready{self._helper.last_words()}"
            return "helper"
        self._released = time.monotonic()
        self._watchdogs = Watchdogs(self._launch, self._tree.census, self._released)
        processes.take_precedence()
        self._child.release()
        return ""

    def watch(self) -> str:
        """Return why the worker has ended or has to end."""
        while True:
            self._tree.reap()
            cause = self._cause(time.monotonic())
            if cause:
                return cause
            self._wakeups.wait(HASTE_S if self._watchdogs.in_haste else self._wall_left())

    def climb(self, cause: str) -> None:
        """Ask for the end: by its note, then by SIGINT and SIGTERM, each with its grace."""
        if cause not in AT_ONCE:
            if self._leave_note() and self._ends_in_time():
                return
            for number in (signal.SIGINT, signal.SIGTERM):
                self._note(number.name)
                self._tree.ask_to_end(number)
                if self._ends_in_time():
                    return
        self._note(signal.SIGKILL.name)

    def _leave_note(self) -> bool:
        """Leave the note that asks for an end in the agent's protocol; tell whether it is there."""
        note = self._launch["interrupt"]
        if note is None:
            return False
        from pathlib import Path

        from gitcto.errors import CtoError
        from gitcto.untrusted_files import write_below

        try:
            write_below(Path(note["root"]), note["path"], note["text"].encode())
        except CtoError:  # its worker has spoilt the place
            return False
        self._note(PROTOCOL)
        return True

    def _ends_in_time(self) -> bool:
        deadline = time.monotonic() + self._grace_s()
        while time.monotonic() < deadline:
            self._tree.reap()
            if self._ended():
                return True
            self._trim()
            self._wakeups.wait(deadline - time.monotonic())
        return False

    def _grace_s(self) -> float:
        """Return what a person in a hurry allows, or what is usual (seconds)."""
        usual = float(self._limits["grace_s"])
        asked = run_files.read_record(self._run_dir, run_files.STOP) or {}
        given = asked.get("grace_s")
        return min(usual, float(given)) if isinstance(given, int | float) else usual

    def finish(self, cause: str) -> None:
        """End what is left of the tree, close the output files and record the exit."""
        killed, survivors = self._tree.end(self._meanwhile)
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
        self._say_farewell()

    def _capture(self, name: str) -> Capture:
        limits = self._limits
        path = os.path.join(self._run_dir, name)
        return Capture(path, limits["output_bytes"], limits["output_lines"], limits["file_bytes"])

    def _verdict(self, killed: int, survivors: int) -> tuple[int, str]:
        notes = [self._detail] if self._detail else []
        status = self._tree.status(self._child.pid)
        code = -1 if status is None else os.waitstatus_to_exitcode(status)
        failure = self._child.failure()
        if failure is not None:
            code, reason = failure
            notes.append(reason)
        elif code < -1 or (code == -1 and status is not None):
            notes.append(f"killed by {signal.Signals(-code).name}")
            code = 128 - code
        if killed:
            notes.append(f"{killed} left behind and killed")
        if survivors:
            notes.append(f"survivors: {survivors}")
        return code, "; ".join(notes)

    def _cause(self, now: float) -> str:
        if self._trim():
            self._watchdogs.saw_output(now)
        if any(capture.full for capture in self._captures):
            return "output"
        if self._ended():
            return "exited"
        if self._stop_asked():
            return "stopped"
        if any(capture.flooded for capture in self._captures):
            return "output"
        if self._wall_left() <= 0:
            return "wall"
        if self._helper is not None and self._tree.status(self._helper.pid) is not None:
            self._detail = f"its proxy ended first{self._helper.last_words()}"
            return "helper"
        cause = self._watchdogs.look(now)
        self._detail = self._watchdogs.detail
        self._beat(now)
        return cause

    def _ended(self) -> bool:
        return self._tree.status(self._child.pid) is not None

    def _stop_asked(self) -> bool:
        asked = os.path.join(self._run_dir, run_files.STOP)
        return self._wakeups.stop_asked or os.path.exists(asked)

    def _wall_left(self) -> float:
        wall_s = self._limits["wall_s"]
        return float("inf") if wall_s is None else self._released + wall_s - time.monotonic()

    def _trim(self) -> bool:
        grew = [capture.trim() for capture in self._captures]
        return any(grew)

    def _meanwhile(self) -> None:
        self._trim()
        self._wakeups.wait(0.005)

    def _note(self, rung: str) -> None:
        at_s = round(time.monotonic() - self._released, 3)
        self._ladder.append({"signal": rung, "at_s": at_s})

    def _beat(self, now: float) -> None:
        heartbeat = self._launch["heartbeat"]
        if heartbeat is None or now < self._next_beat:
            return
        if self._pulse is None:
            from gitcto.store.heartbeat import Pulse  # 5 ms that no start has to wait for

            self._pulse = Pulse(heartbeat, self._child.pid, self._start or "")
        said = sum(capture.size for capture in self._captures)
        written = self._pulse.beat(time.time_ns() // 1_000_000, said)
        self._next_beat = now + (BEAT_S if written else RETRY_S)

    def _say_farewell(self) -> None:
        """Take the heartbeat away; who holds the sidecar is waited for no longer than 0.1 s."""
        if self._pulse is None:
            return
        for _ in range(FAREWELL_TRIES):
            if self._pulse.end():
                return
            time.sleep(0.005)
