"""How things are measured: in turns, as medians of wall and CPU time, and beside a baseline."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Effort(NamedTuple):
    """How much a benchmark does: ``rounds`` of each case, and a ``share`` of its full sizes."""

    rounds: int
    share: float = 1.0

    def size(self, full: int, least: int = 1) -> int:
        """Return this effort's share of a full size, and at least ``least``."""
        return max(least, round(full * self.share))

    def turns(self, most: int) -> int:
        """Return how often a dear case is measured."""
        return max(1, min(self.rounds, most))


class Cost(NamedTuple):
    """What something took: seconds on the wall, and seconds of CPU with all its processes."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report.

    ``value`` and ``baseline`` share ``unit``; ``baseline`` was measured in the same run and
    ``versus`` names it. ``limit`` is what the house allows for ``value``, ``ratio_limit`` for
    ``value / baseline``.
    """

    what: str
    value: float
    unit: str
    baseline: float | None = None
    versus: str = ""
    limit: float | None = None
    ratio_limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """``value`` as a multiple of the baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def within(self) -> bool | None:
        """Whether every limit that is set is kept; None when there is none."""
        checks = [(self.value, self.limit), (self.ratio, self.ratio_limit)]
        judged = [value <= limit for value, limit in checks if value is not None is not limit]
        return all(judged) if judged else None


def interleaved(cases: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Measure every case once per round, after one round to warm up.

    Taking turns spreads whatever else the machine does over all cases alike.
    """
    for case in cases.values():
        case()
    return in_turns(cases, rounds)


def in_turns(cases: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Measure every case once per round, the first time included."""
    values: dict[str, list[T]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            values[name].append(case())
    return values


def wall_s(costs: Iterable[Cost]) -> float:
    """Return the median of the seconds on the wall."""
    return median(cost.wall_s for cost in costs)


def cpu_s(costs: Iterable[Cost]) -> float:
    """Return the median of the CPU seconds."""
    return median(cost.cpu_s for cost in costs)


def p95(values: Sequence[float]) -> float:
    """Return the value that 19 of 20 stay below."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=20, method="inclusive")[-1]


def cost_of(action: Callable[[], object], times: int = 1) -> Cost:
    """Do something and return what it took, children that were waited for included.

    ``times`` is how many things of a kind ``action`` does: the cost is that of one.
    """
    cpu, wall = _cpu_so_far(), time.perf_counter()
    action()
    return Cost(
        (time.perf_counter() - wall) / times,
        (_cpu_so_far() - cpu) / times,
    )


def _cpu_so_far() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def program(argv: Sequence[str], cwd: Path, env: Mapping[str, str], expected: int = 0) -> Cost:
    """Run a program and return what it and its children took.

    Raises ``RuntimeError`` when it exits otherwise: a quick failure is no good measurement.
    """
    sink = os.open(os.devnull, os.O_RDWR)
    began = time.perf_counter()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, sink, descriptor) for descriptor in (0, 1, 2)]
        with contextlib.chdir(cwd):
            pid = os.posix_spawnp(argv[0], list(argv), dict(env), file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
    finally:
        os.close(sink)
    code = os.waitstatus_to_exitcode(status)
    if code != expected:
        raise RuntimeError(f"{' '.join(argv)} ended with {code}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


def run(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> str:
    """Run what only prepares or asks, and return its output, stripped."""
    done = subprocess.run(argv, cwd=cwd, env=env, check=False, capture_output=True)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}: {said}")
    return done.stdout.decode().strip()


def environment(home: Path) -> dict[str, str]:
    """Return a small environment without anybody's git configuration."""
    return {
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PATH": os.environ["PATH"],
    }
