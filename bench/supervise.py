"""Supervision: what watching over a worker costs, beside an interpreter which does nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from bench.measure import Effort, Row, cost_of, cpu_s, interleaved, program, wall_s
from bench.repositories import Place, scratch
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.workers import Heartbeat, Limits, Program
from gitcto.store import schema

START_LIMIT_MS = 60.0
"""What a supervisor may cost (CPU) for a worker that ends at once."""

QUIET_LIMIT_MS = 600.0
"""What a minute of watching over a worker that does nothing may cost (CPU): a hundredth."""

QUIET_S = 20
_BARE = (sys.executable, "-I", "-S", "-c", "pass")
_VERSUS = "python -I -S -c pass"
_FULL = Limits(
    wall_s=600,
    idle_s=300,
    output_bytes=64 << 20,
    output_lines=1_000_000,
    memory_bytes=8 << 30,
    processes=1000,
    file_bytes=4 << 30,
    disk_bytes=16 << 30,
)
"""Every limit that policy sets, at its default or near it."""


def measure(effort: Effort) -> list[Row]:
    """Return rows for a whole supervision, and for a minute of a quiet one."""
    with scratch() as place:
        start = _supervised(place, ("true",))
        bare = partial(program, _BARE, place.path, place.env)
        costs = interleaved({"ours": partial(cost_of, start), "bare": bare}, effort.rounds)
        quiet_s = effort.size(QUIET_S)
        quiet = cost_of(_supervised(place, ("sleep", str(quiet_s))))
    begun, ended = cpu_s(costs["ours"]), cpu_s(costs["bare"])
    watched = max(0.0, quiet.cpu_s - begun) * 60 / quiet_s
    return [
        _row("a whole supervision, CPU", begun, ended, limit=START_LIMIT_MS),
        _row("a whole supervision, wall", wall_s(costs["ours"]), wall_s(costs["bare"])),
        Row(
            what="watching over a quiet worker, CPU a minute",
            value=watched * 1e3,
            unit="ms CPU",
            limit=QUIET_LIMIT_MS,
        ),
    ]


def _row(what: str, value: float, baseline: float, limit: float | None = None) -> Row:
    return Row(
        what=what,
        value=value * 1e3,
        unit="ms CPU" if "CPU" in what else "ms",
        baseline=baseline * 1e3,
        versus=_VERSUS,
        limit=limit,
    )


def _supervised(place: Place, argv: tuple[str, ...]) -> Callable[[], None]:
    """Return what starts a worker with every limit and a heartbeat, and waits for its end."""
    numbers = count(1)
    sidecar = place.beside("sidecar.db")
    if not sidecar.exists():
        db = schema.connect(sidecar)
        schema.create(db)
        db.close()
    heartbeat = Heartbeat(sidecar=sidecar, team="main", execution="bench")
    path = Path(place.path)
    one = Program(argv=argv, env=place.env, cwd=path, writes=(path,))

    def run() -> None:
        run_dir = place.beside(f"run-{argv[0]}-{next(numbers)}")
        workers.spawn(run_dir, one, _FULL, heartbeat)
        ended = workers.wait(run_dir)
        if ended.code != 0:
            raise RuntimeError(f"{argv} ended with {ended}")

    return run
