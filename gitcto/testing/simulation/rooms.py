"""Made-up rooms and workers. A worker is its own process: it outlives the run that began it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gitcto.provider_contracts import WorkerReport, failed
from gitcto.runtime.outside_record import Outside
from gitcto.runtime.worker_values import Exit, Observed, Started
from gitcto.testing.simulation.faults import Faults
from gitcto.testing.simulation.history import Files, History

OK = WorkerReport()
"""What a worker says that says nothing else."""

STOP_MS = 300
"""How long the end of a process tree takes (milliseconds)."""


@dataclass(slots=True, kw_only=True)
class Room:
    """One execution's room and its worker, on one machine.

    ``files`` is what is in the room, None when it is not there. ``refused`` says that it holds what
    must not be taken up, ``hung`` that not even its supervisor answers, ``outside`` what its worker
    did elsewhere.
    """

    execution: str
    base: str
    files: dict[str, str] | None = None
    launched: bool = False
    records: bool = False
    started: Started | None = None
    exit: Exit | None = None
    report: WorkerReport = OK
    outside: Outside = field(default_factory=Outside)
    stop_asked: bool = False
    refused: bool = False
    hung: bool = False
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def tell(self) -> None:
        """Tell who waits that its worker has started or ended."""
        waiting, self.waiting = self.waiting, []
        for hear in waiting:
            hear()

    @property
    def observed(self) -> Observed:
        """What its records say."""
        alive = self.launched and self.exit is None
        return Observed(started=self.started, exit=self.exit, alive=alive)


class Workers:
    """Starts workers and lets them live: they write, and end one way or another.

    ``trespassers`` are the executions whose workers did something outside their rooms.
    """

    def __init__(self, faults: Faults, history: History) -> None:
        self._faults = faults
        self._history = history
        self._pid = 1000
        self.trespassers: set[str] = set()

    def launch(self, room: Room, writes: Files) -> None:
        """Start a worker that will write these files if all goes well."""
        clock, rng = self._faults.clock, self._faults.rng
        room.launched = room.records = True
        clock.after(rng.uniform(5, 2_000), lambda: self._start(room, writes))

    def _start(self, room: Room, writes: Files) -> None:
        if room.exit is not None:
            return
        clock, rng = self._faults.clock, self._faults.rng
        self._pid += 1
        pid, mark = self._pid, str(clock.ms)
        room.started = Started(
            pid=pid,
            process_start=mark,
            supervisor_pid=pid,
            supervisor_start=mark,
            isolation={"level": "strict", "sandbox": "made-up"},
        )
        if room.stop_asked:
            self.finish(room, Exit(code=130, cause="stopped"))
            return
        room.tell()
        if not self._faults.over and self._faults.strikes("quota"):
            said = failed("quota", "no more today", retryable=False)
            room.report = said
            clock.after(
                rng.uniform(500, 5_000), lambda: self.finish(room, Exit(code=1, cause="exited"))
            )
            return
        work_ms = rng.lognormvariate(0, 0.7) * self._faults.options.work_min * 60_000
        clock.after(work_ms * rng.random(), lambda: self._write(room, writes, whole=False))
        clock.after(work_ms, lambda: self._end(room, writes))

    def _write(self, room: Room, writes: Files, *, whole: bool) -> None:
        if room.exit is not None or room.files is None:
            return
        some = sorted(writes) if whole else sorted(writes)[:1]
        room.files.update({path: writes[path] for path in some})

    def _end(self, room: Room, writes: Files) -> None:
        faults = self._faults
        if room.exit is not None:
            return
        if faults.strikes("supervisor_hung"):
            room.hung = True
            return
        if faults.strikes("worker_hang"):
            idle_ms = 900_000
            faults.clock.after(idle_ms, lambda: self.finish(room, Exit(code=137, cause="idle")))
            return
        if faults.strikes("worker_flood"):
            self.finish(room, Exit(code=137, cause="output"))
            return
        if faults.strikes("worker_refused"):
            room.refused = True
        if faults.strikes("trespass"):
            room.outside = Outside(changes=("the hooks of the repository",), guarded=True)
            self.trespassers.add(room.execution)
        if not faults.strikes("worker_empty"):
            self._write(room, writes, whole=True)
        self.finish(room, Exit(code=0, cause="exited"))

    def finish(self, room: Room, exit_: Exit) -> None:
        """Record the end of a worker and of all its processes; who waits is told."""
        if room.exit is not None:
            return
        room.exit = exit_
        room.tell()

    def stop(self, room: Room) -> None:
        """Ask for the end of a worker."""
        room.stop_asked = True
        if room.launched and room.exit is None and not room.hung:
            ended = Exit(code=130, cause="stopped")
            self._faults.clock.after(STOP_MS, lambda: self.finish(room, ended))
