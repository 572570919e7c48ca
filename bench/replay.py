"""Replay: a lost sidecar is built again from git, beside reading the same events with plain git."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from typing import IO

from bench.histories import REF, write_history
from bench.measure import Effort, Row, cost_of, cpu_s, in_turns, wall_s
from bench.programs import Measured, with_peak
from bench.repositories import Place, scratch
from gitcto.store.sidecar import NAME

EVENTS = 50_000
_RATIO = 4.0
"""At least a quarter of what plain git and a JSON parser reach."""


def measure(effort: Effort) -> list[Row]:
    """Return rows for a packed ledger of one event in each commit."""
    events = effort.size(EVENTS, 100)
    with scratch() as place:
        write_history(place, events, per_commit=1)
        rounds = effort.turns(3)
        built = in_turns({"git": partial(plain_git, place), "us": partial(rebuilt, place)}, rounds)
    return rows_of(f"{events} events, one in each commit", events, built, _RATIO)


def rows_of(
    what: str, events: int, built: dict[str, list[Measured]], ratio_limit: float | None
) -> list[Row]:
    """Return what building ``events`` took as rows: per event, and as a whole."""
    git, ours = ([one.cost for one in built[name]] for name in ("git", "us"))
    versus = "git rev-list, cat-file, json.loads"
    return [
        Row(
            what=f"rebuild of {what}, per event",
            value=cpu_s(ours) / events * 1e6,
            unit="us CPU",
            baseline=cpu_s(git) / events * 1e6,
            versus=versus,
            ratio_limit=ratio_limit,
        ),
        Row(
            what=f"rebuild of {what}",
            value=wall_s(ours),
            unit="s",
            baseline=wall_s(git),
            versus=versus,
        ),
        Row(
            what=f"rebuild of {what}, rate",
            value=events / wall_s(ours),
            unit="events/s",
        ),
        Row(
            what=f"rebuild of {what}, peak memory",
            value=max(one.peak_bytes for one in built["us"]) / 1e6,
            unit="MB",
        ),
    ]


def rebuilt(place: Place) -> Measured:
    """Delete the sidecar and let ``git cto status`` build it again."""
    for suffix in ("", "-wal", "-shm"):
        (place.path / ".git" / "cto" / f"{NAME}{suffix}").unlink(missing_ok=True)
    return with_peak(place, "status", "--line")


def plain_git(place: Place) -> Measured:
    """Read every event with git and a JSON parser, and do nothing with it."""
    return Measured(cost_of(partial(_read_all, place)), 0)


def _read_all(place: Place) -> int:
    found = 0
    with (
        _spawn(place, "rev-list", "--reverse", REF) as listed,
        _spawn(place, "cat-file", "--batch", stdin=listed.stdout) as read,
    ):
        for line in read.stdout or ():
            if line.startswith(b"{"):
                json.loads(line)
                found += 1
    return found


def _spawn(
    place: Place, *arguments: str, stdin: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    command, env = ["git", *arguments], dict(place.env)
    return subprocess.Popen(command, cwd=place.path, env=env, stdin=stdin, stdout=subprocess.PIPE)
