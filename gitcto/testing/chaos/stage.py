"""What a scenario is played on: its scratch, the run in the front, and every run there was."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.runtime.worker import processes, workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.runtime.worker.processes import Process
    from gitcto.testing.chaos.process import Run
    from gitcto.testing.chaos.scenario import Scenario
    from gitcto.testing.chaos.scratch import Clone, Scratch


@dataclass(slots=True)
class Stage:
    """One play. ``round`` counts the faults; ``mark`` is the first event of this round.

    ``refused`` are runs that were expected to end badly.
    """

    scenario: Scenario
    scratch: Scratch
    seed: int
    round: int = 0
    mark: int = 0
    runs: list[Run] = field(default_factory=list)
    refused: list[Run] = field(default_factory=list)
    kept: str = ""

    @property
    def clone(self) -> Clone:
        """The clone that the faults hit."""
        return self.scratch.clones[0]

    @property
    def front(self) -> Run:
        """The newest run in that clone."""
        return next(run for run in reversed(self.runs) if run.clone == self.clone.path)

    def start(self, clone: Clone | None = None, clock: Path | None = None) -> Run:
        """Start a run, in the clone that the faults hit if no other one is named."""
        clone = clone or self.clone
        if clock is None and self.scenario.trouble.offsets_s:
            clock = self.scratch.clock
        if clone == self.clone:
            self.mark = 0
            run = self.scratch.start(clone, clock, self.scenario.workers)
        else:
            run = self.scratch.start(clone, clock)
        self.runs.append(run)
        return run

    def workers(self) -> Iterator[tuple[str, Process]]:
        """Yield every live worker of the clone with its execution, and then its supervisor."""
        rows = processes.table()
        for records in sorted((self.clone.cto / "teams/main/executions").glob("*")):
            started = workers.observe(records).started
            if started is None:
                continue
            pairs = (
                (started.pid, started.process_start),
                (started.supervisor_pid, started.supervisor_start),
            )
            for pid, start in pairs:
                if pid in rows and rows[pid].start == start:
                    yield records.name, rows[pid]
