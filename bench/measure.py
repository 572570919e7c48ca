"""How things are measured: interleaved rounds, medians, and always beside a baseline."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

Measurement = Callable[[], float]
"""Does something once and returns what it cost (seconds, bytes: whatever the row says)."""


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
    def within(self) -> bool:
        """Whether every limit that is set is kept."""
        checks = ((self.value, self.limit), (self.ratio, self.ratio_limit))
        return all(value is None or limit is None or value <= limit for value, limit in checks)


@dataclass(frozen=True, slots=True)
class Sample:
    """All measurements of one case."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    @property
    def p95(self) -> float:
        """The value that 19 of 20 stay below."""
        return quantiles(self.values, n=20)[-1] if len(self.values) > 1 else self.values[0]


def interleaved(cases: Mapping[str, Measurement], rounds: int) -> dict[str, Sample]:
    """Measure every case once per round, after one round to warm up.

    Taking turns spreads whatever else the machine does over all cases alike.
    """
    values: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        case()
    for _ in range(rounds):
        for name, case in cases.items():
            values[name].append(case())
    return {name: Sample(tuple(measured)) for name, measured in values.items()}


def cpu_seconds(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """Run a program and return the user and system time of it and its children, in seconds.

    Raises ``RuntimeError`` when it fails: a quick failure is no good measurement.
    """
    sink = os.open(os.devnull, os.O_RDWR)
    try:
        actions = [(os.POSIX_SPAWN_DUP2, sink, descriptor) for descriptor in (0, 1, 2)]
        with contextlib.chdir(cwd):
            pid = os.posix_spawnp(argv[0], list(argv), dict(env), file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
    finally:
        os.close(sink)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise RuntimeError(f"{' '.join(argv)} ended with {code}")
    return usage.ru_utime + usage.ru_stime


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
