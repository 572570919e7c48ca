"""Sandboxes: a worker that does nothing, beside one without a sandbox; and the probe of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from bench.measure import Cost, Effort, Row, cost_of, cpu_s, interleaved, wall_s
from bench.repositories import scratch
from gitcto.contracts import Probe
from gitcto.plugins import Plugins
from gitcto.room_contracts import ConfineRequest
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.isolation import Isolation, own_programs, start_confined
from gitcto.runtime.host.probing import run_probe
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.worker_values import Limits

BARE = "none"
_SPAWN_MS, _PROBE_MS = 25.0, 150.0
_PROBES = 5
_LIMITS = Limits(wall_s=60.0, idle_s=None, output_bytes=1 << 16)
_numbers = count(1)


def measure(effort: Effort) -> list[Row]:
    """Return rows for each sandbox that works here."""
    plugins = Plugins.load(sys.path)
    with scratch() as place:
        root = place.beside("workers")
        root.mkdir()
        names = [BARE, *_usable(plugins, root)]
        spawns = interleaved(
            {name: _spawning(plugins, name, root) for name in names}, effort.turns(50)
        )
        probes = interleaved(
            {name: _probing(plugins, name, root) for name in names}, effort.turns(_PROBES)
        )
    rows = [row for name in names[1:] for row in _spawn_rows(name, spawns[name], spawns[BARE])]
    return [*rows, *(row for name in names for row in _probe_rows(name, probes[name]))]


def _usable(plugins: Plugins, root: Path) -> list[str]:
    """Return the sandboxes that do anything and let a worker work here."""
    found = []
    for name, registered in sorted(plugins.sandboxes().items()):
        answer = ask(plugins, registered, "available", os.environ, deadline_s=10.0)
        confines = registered.descriptor.level not in {"none", "detect"}
        if confines and isinstance(answer, Probe) and answer.available:
            found += [name] if run_probe(plugins, registered, root) else []
    return found


def _spawning(plugins: Plugins, name: str, root: Path) -> Callable[[], Cost]:
    isolation = Isolation(sandbox=plugins.sandboxes()[name], probe={})

    def spawn(place: Path) -> None:
        request = ConfineRequest(
            argv=("true",),
            env={"PATH": os.environ["PATH"]},
            cwd=place / "room",
            writes=(place / "room",),
            reads=own_programs(),
            hides=(root,),
            run_dir=place / "private",
        )
        workers.spawn(place / "run", start_confined(plugins, isolation, request), _LIMITS)
        ended = workers.wait(place / "run")
        if ended.code:
            raise RuntimeError(f"a worker in {name} ended with {ended}")

    def once() -> Cost:
        place = root / str(next(_numbers))
        for part in ("room", "private"):
            (place / part).mkdir(parents=True)
        return cost_of(partial(spawn, place))

    return once


def _probing(plugins: Plugins, name: str, root: Path) -> Callable[[], Cost]:
    return lambda: cost_of(partial(run_probe, plugins, plugins.sandboxes()[name], root))


def _spawn_rows(name: str, ours: list[Cost], bare: list[Cost]) -> Iterable[Row]:
    versus = "without a sandbox"
    yield Row(
        what=f"{name}: a worker started and gone",
        value=wall_s(ours) * 1e3,
        unit="ms",
        baseline=wall_s(bare) * 1e3,
        versus=versus,
    )
    yield Row(
        what=f"{name}: the difference",
        value=max(0.0, median(a.wall_s - b.wall_s for a, b in zip(ours, bare, strict=True)) * 1e3),
        unit="ms",
        limit=_SPAWN_MS,
    )
    yield Row(
        what=f"{name}: a worker started and gone, CPU",
        value=cpu_s(ours) * 1e3,
        unit="ms CPU",
        baseline=cpu_s(bare) * 1e3,
        versus=versus,
    )


def _probe_rows(name: str, costs: list[Cost]) -> Iterable[Row]:
    yield Row(
        what=f"{name}: the probe of a run",
        value=wall_s(costs) * 1e3,
        unit="ms",
        limit=_PROBE_MS,
    )
    yield Row(what=f"{name}: the probe of a run, CPU", value=cpu_s(costs) * 1e3, unit="ms CPU")
