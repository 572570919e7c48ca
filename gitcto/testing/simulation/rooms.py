"""Made-up rooms and workers. A worker is its own process: it outlives the run that began it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gitcto.model.agent_records import Fault, Usage
from gitcto.provider_contracts import NOTHING, WorkerReport
from gitcto.runtime.core.outside_record import Outside
from gitcto.runtime.host.layout import execution_of
from gitcto.runtime.worker.worker_values import Exit, Observed, Started
from gitcto.testing.simulation.faults import Faults
from gitcto.testing.simulation.history import Files, History

OK = WorkerReport()
"""What a worker says that says nothing else."""

TOKENS = 10_000
"""What policy lets one execution use."""

STOP_MS = 300
"""How long the end of a process tree takes (milliseconds)."""


@dataclass(slots=True, kw_only=True)
class Room:
    """One room of an execution, on one machine, by its name.

    ``files`` is what is in it, None when it is not there. ``refused`` says that it holds what must
    not be taken up, ``runs`` who works or worked in it.
    """

    place: str
    base: str
    files: dict[str, str] | None = None
    refused: bool = False
    runs: list[Run] = field(default_factory=list)

    @property
    def execution(self) -> str:
        """The execution whose room it is."""
        return execution_of(self.place)

    @property
    def alive(self) -> bool:
        """Whether somebody works in it."""
        return any(run.observed.alive for run in self.runs)


@dataclass(slots=True, kw_only=True)
class Run:
    """One worker in a room.

    ``hung`` says that not even its supervisor answers, ``outside`` what it did elsewhere.
    """

    room: Room
    launched: bool = False
    started: Started | None = None
    exit: Exit | None = None
    report: WorkerReport = OK
    usage: Usage = NOTHING
    outside: Outside = field(default_factory=Outside)
    stop_asked: bool = False
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a worker does if all goes well: the files that it writes, and its last words."""

    writes: Files = field(default_factory=dict)
    says: str = ""


class Workers:
    """Starts workers and lets them live: they write, and end one way or another.

    ``trespassers`` are the executions whose workers did something outside their rooms.
    """

    def __init__(self, faults: Faults, history: History) -> None:
        self._faults = faults
        self._history = history
        self._pid = 1000
        self.trespassers: set[str] = set()

    def launch(self, run: Run, part: Part) -> None:
        """Start a worker that will play its part if all goes well."""
        clock, rng = self._faults.clock, self._faults.rng
        run.launched = True
        run.room.runs.append(run)
        clock.after(rng.uniform(5, 2_000), lambda: self._start(run, part))

    def _start(self, run: Run, part: Part) -> None:
        if run.exit is not None:
            return
        clock, rng = self._faults.clock, self._faults.rng
        self._pid += 1
        pid, mark = self._pid, str(clock.ms)
        run.started = Started(
            pid=pid,
            process_start=mark,
            supervisor_pid=pid,
            supervisor_start=mark,
            isolation={"level": "strict", "sandbox": "made-up"},
        )
        if run.stop_asked:
            self.finish(run, Exit(code=130, cause="stopped"))
            return
        run.tell()
        run.usage = self._usage()
        fault = self._fault()
        if fault is not None:
            run.report = WorkerReport(fault=fault, usage=run.usage)
            clock.after(
                rng.uniform(500, 5_000), lambda: self.finish(run, Exit(code=1, cause="exited"))
            )
            return
        work_ms = rng.lognormvariate(0, 0.7) * self._faults.options.work_min * 60_000
        clock.after(work_ms * rng.random(), lambda: self._write(run, part, whole=False))
        clock.after(work_ms, lambda: self._end(run, part))

    def _usage(self) -> Usage:
        """Draw what a worker uses: some of them more than one execution may."""
        tokens = self._faults.rng.randint(1, TOKENS // 40)
        if self._faults.strikes("spendthrift"):
            tokens += TOKENS
        return Usage(input_tokens=tokens, cost_micros=self._faults.rng.choice((None, 3 * tokens)))

    def _fault(self) -> Fault | None:
        """Draw what its provider has against a worker."""
        if self._faults.over:
            return None
        wait_s = self._faults.rng.choice((0, 600, 3600))
        if self._faults.strikes("quota"):
            return Fault(kind="quota", detail="no more", retryable=False, retry_after_s=wait_s)
        if self._faults.strikes("rate"):
            return Fault(kind="rate", detail="too fast", retry_after_s=wait_s // 60)
        return None

    def _write(self, run: Run, part: Part, *, whole: bool) -> None:
        if run.exit is not None or run.room.files is None:
            return
        some = sorted(part.writes) if whole else sorted(part.writes)[:1]
        run.room.files.update({path: part.writes[path] for path in some})

    def _end(self, run: Run, part: Part) -> None:
        faults = self._faults
        if run.exit is not None:
            return
        if faults.strikes("supervisor_hung"):
            run.hung = True
            return
        if faults.strikes("worker_hang"):
            idle_ms = 900_000
            faults.clock.after(idle_ms, lambda: self.finish(run, Exit(code=137, cause="idle")))
            return
        if faults.strikes("worker_flood"):
            self.finish(run, Exit(code=137, cause="output"))
            return
        if faults.strikes("worker_refused"):
            run.room.refused = True
        if faults.strikes("trespass"):
            run.outside = Outside(changes=("the hooks of the repository",), guarded=True)
            self.trespassers.add(run.room.execution)
        if not faults.strikes("worker_empty"):
            self._write(run, part, whole=True)
        run.report = WorkerReport(message=part.says, usage=run.usage)
        self.finish(run, Exit(code=0, cause="exited"))

    def finish(self, run: Run, exit_: Exit) -> None:
        """Record the end of a worker and of all its processes; who waits is told."""
        if run.exit is not None:
            return
        run.exit = exit_
        run.tell()

    def stop(self, run: Run) -> None:
        """Ask for the end of a worker."""
        run.stop_asked = True
        if run.launched and run.exit is None and not run.hung:
            ended = Exit(code=130, cause="stopped")
            self._faults.clock.after(STOP_MS, lambda: self.finish(run, ended))
