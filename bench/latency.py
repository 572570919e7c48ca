"""Dispatch: from the moment a task may start to its worker's recorded start, its room aside."""

from __future__ import annotations

import sys
import threading
import time

from bench.measure import Effort, Row, p95, program
from bench.repositories import scratch
from bench.teams import BenchTeam
from gitcto.effects import SystemEffects
from gitcto.model.codec import Event
from gitcto.model.records import MAX_WORKERS
from gitcto.model.state import State

TASKS = 40
_LIMIT_MS = 100.0
_BARE = (sys.executable, "-I", "-S", "-c", "pass")


class Stopwatch(SystemEffects):
    """Effects and a listener that note when rooms are made, workers start and work lands."""

    def __init__(self) -> None:
        self.rooms: dict[str, float] = {}
        self.waits: list[float] = []
        self.cpu: list[float] = []
        self._made: dict[str, float] = {}
        self._free = (time.monotonic(), time.process_time())

    def crash_point(self, name: str) -> None:
        """Time the making of a room: it lies between two of the steps that have names."""
        execution = threading.current_thread().name.removeprefix("attempt ")
        if name == "attempt.pinned":
            self.rooms[execution] = time.monotonic()
        elif name == "attempt.room":
            self._made[execution] = time.monotonic() - self.rooms[execution]

    def recorded(self, event: Event, state: State) -> None:
        """Time how long a task that could start waited; what landed last let it start."""
        del state
        if event.kind == "landing.done":
            self._free = (time.monotonic(), time.process_time())
        elif event.kind == "execution.started":
            execution = str(getattr(event.body, "execution", ""))
            self.waits.append(time.monotonic() - self._free[0] - self._made[execution])
            self.cpu.append(time.process_time() - self._free[1])

    def note(self, text: str) -> None:
        """Take no note."""


def measure(effort: Effort) -> list[Row]:
    """Return rows for tasks that become ready one by one, and six at a time."""
    rows: list[Row] = []
    for what, width in (("one task at a time", 1), (f"{MAX_WORKERS} tasks at once", MAX_WORKERS)):
        watch = _watched(effort.size(TASKS, 2 * width + 1), width)
        with scratch() as place:
            bare = [program(_BARE, place.path, place.env).wall_s for _ in watch.waits]
        rows += [
            Row(
                what=f"ready to started, {what}, p95",
                value=p95(watch.waits) * 1e3,
                unit="ms",
                baseline=p95(bare) * 1e3,
                versus="python -I -S -c pass, p95",
                limit=_LIMIT_MS,
            ),
            Row(
                what=f"ready to started, {what}, p95 of the orchestrator's CPU",
                value=p95(watch.cpu) * 1e3,
                unit="ms CPU",
            ),
        ]
    return rows


def _watched(tasks: int, width: int) -> Stopwatch:
    """Run groups of ``width`` tasks, each group waiting for one task that follows the last."""
    watch = Stopwatch()
    with scratch() as place:
        team = BenchTeam(place, "clone")
        team.effects = watch
        specs = [team.task()]
        while len(specs) < tasks:
            group = [team.task(specs[-1].id) for _ in range(width)]
            specs += group if width == 1 else [*group, team.task(*(one.id for one in group))]
        team.plan(specs)
        team.run(watch)
    return watch
