"""Ledger append: durable events beside what the same disk allows in the same minute."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from bench import physical, writer
from bench.measure import Cost, Effort, Row, cost_of, cpu_s, interleaved, p95, wall_s
from bench.repositories import Place, scratch
from gitcto.effects import SystemEffects
from gitcto.model.commands import AdoptPolicy, CreateTeam, ImportPlan
from gitcto.model.records import TaskSpec
from gitcto.store.ledger import Ledger

BATCH = 50
"""Events of one transaction."""

WRITERS = 8
SECONDS = 2.0
"""How long many writers write in one round."""

_ROUNDS = 10
_RATIO = 2.0
"""At least half as many as the disk allows."""

_BATCH_GAIN = 1 / 15
_P99_MS = 100.0
_FAIRNESS = 1.25
"""At most so many times as much for the luckiest writer as for the unluckiest."""

_SINGLE, _MANY, _DISK, _NAMES = "single", "batch", "disk", "names"


def measure(effort: Effort) -> list[Row]:
    """Return rows for one writer and for many."""
    with scratch() as place:
        disk = physical.prepare(place.beside("disk"))
        with Ledger(place.repository(), "main", SystemEffects(), "ada@example.com") as ledger:
            ledger.transact(CreateTeam(team="main", target="refs/heads/cto/main/integration"))
            rows = _one_writer(ledger, disk, effort)
        return rows + _many_writers(place, disk, effort)


def _one_writer(ledger: Ledger, disk: Path, effort: Effort) -> list[Row]:
    numbers = count()
    times = effort.size(10, 2)

    def single() -> None:
        ledger.transact(AdoptPolicy(digest=f"{next(numbers):064x}"))

    def batch() -> None:
        specs = [TaskSpec(id=f"T-{next(numbers)}", title="Do it") for _ in range(BATCH - 1)]
        ledger.transact(ImportPlan(source="plan.toml", digest="0" * 64, tasks=tuple(specs)))

    cases = {
        _SINGLE: _repeated(single, times),
        _DISK: _repeated(lambda: physical.event(disk), times),
        _NAMES: _repeated(lambda: physical.event_with_names(disk), times),
        _MANY: _repeated(batch, max(1, times // 4)),
    }
    return _one_writer_rows(interleaved(cases, effort.turns(_ROUNDS)))


def _one_writer_rows(costs: Mapping[str, Sequence[Cost]]) -> list[Row]:
    single_ms, disk_ms = wall_s(costs[_SINGLE]) * 1e3, wall_s(costs[_DISK]) * 1e3
    wall, batched = "ms", wall_s(costs[_MANY]) / BATCH * 1e3
    names_ms = wall_s(costs[_NAMES]) * 1e3
    versus = "new file and moved ref, fsynced"
    return [
        Row(
            what="one event, one writer",
            value=single_ms,
            unit=wall,
            baseline=disk_ms,
            versus=versus,
            ratio_limit=_RATIO,
        ),
        Row(
            what="the same, names synced",
            value=single_ms,
            unit=wall,
            baseline=names_ms,
            versus="both names fsynced too",
        ),
        Row(
            what="the same, CPU",
            value=cpu_s(costs[_SINGLE]) * 1e3,
            unit="ms CPU",
            baseline=cpu_s(costs[_NAMES]) * 1e3,
            versus="both names fsynced too",
        ),
        Row(
            what=f"an event of a batch of {BATCH}",
            value=batched,
            unit=wall,
            baseline=single_ms,
            versus="one event, one writer",
            ratio_limit=round(_BATCH_GAIN, 3),
        ),
    ]


def _repeated(action: Callable[[], object], times: int) -> Callable[[], Cost]:
    def again() -> None:
        for _ in range(times):
            action()

    return partial(cost_of, again, times)


def _many_writers(place: Place, disk: Path, effort: Effort) -> list[Row]:
    with Ledger(place.repository(), "main", SystemEffects(), "ada@example.com") as ledger:
        before = _events(ledger)
        seconds = max(0.2, SECONDS * effort.share)
        together, alone = [], []
        for _ in range(effort.turns(3)):
            together.append(_write_together(place, seconds))
            alone.append(_repeated(lambda: physical.event(disk), effort.size(100, 5))())
        lost = before + sum(sum(map(len, each)) for each in together) - _events(ledger)
    per_event = [seconds / max(1, sum(map(len, each))) for each in together]
    latencies = [one for each in together for writer in each for one in writer]
    counts = [sum(map(len, of)) for of in zip(*together, strict=True)]
    return [
        Row(
            what=f"one event, {WRITERS} writers at once",
            value=median(per_event) * 1e3,
            unit="ms",
            baseline=wall_s(alone) * 1e3,
            versus="new file and moved ref, fsynced, one writer",
            ratio_limit=_RATIO,
        ),
        Row(
            what="a writer's wait, p99",
            value=sorted(latencies)[int(len(latencies) * 0.99)] * 1e3,
            unit="ms",
            baseline=p95(latencies) * 1e3,
            versus="p95",
            limit=_P99_MS,
        ),
        Row(
            what="events of the luckiest writer",
            value=max(counts),
            unit="events",
            baseline=min(counts),
            versus="the unluckiest",
            ratio_limit=_FAIRNESS,
        ),
        Row(what="events acknowledged and lost", value=lost, unit="events", limit=0),
    ]


def _events(ledger: Ledger) -> int:
    return ledger.summary(rows_each=1).cursor.seq


def _write_together(place: Place, seconds: float) -> list[list[float]]:
    """Return what each writer waited for each of its events (seconds)."""
    argv = [sys.executable, "-m", "bench.writer", str(place.path), str(seconds)]
    env = {**place.env, "PYTHONPATH": str(Path(writer.__file__).parent.parent)}
    started = [
        subprocess.Popen([*argv, str(n)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for n in range(WRITERS)
    ]
    for each in started:  # each says that it is ready before any begins
        if each.stdout is None or not each.stdout.readline():
            raise RuntimeError("a writer did not get ready")
    told = []
    for each in started:
        if each.stdin is not None:
            each.stdin.close()
    for each in started:
        if each.stdout is not None:
            told.append(json.loads(each.stdout.read()))
            each.stdout.close()
        if each.wait():
            raise RuntimeError(f"a writer ended with {each.returncode}")
    return told
