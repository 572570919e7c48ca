"""Start-up: a command beside an interpreter which does nothing."""

from __future__ import annotations

import sys
from functools import partial

from bench.measure import Effort, Row, cpu_s, interleaved, program, run
from bench.programs import GIT_CTO
from bench.repositories import scratch

BARE = "python -c pass"
LIMITS_MS = {"--version": 20.0, "-h": 65.0, "status": 100.0}
"""What a command may cost, interpreter included."""


def measure(effort: Effort) -> list[Row]:
    """Return a row per command; the installed console script is what is run."""
    with scratch() as place:
        run((GIT_CTO, "init"), place.path, place.env)
        bare = (sys.executable, "-c", "pass")
        cases = {BARE: partial(program, bare, place.path, place.env)}
        for argument in LIMITS_MS:
            cases[argument] = partial(program, (GIT_CTO, argument), place.path, place.env)
        costs = interleaved(cases, effort.rounds)
    return [
        Row(
            what=f"git cto {argument}",
            value=cpu_s(costs[argument]) * 1000,
            unit="ms CPU",
            baseline=cpu_s(costs[BARE]) * 1000,
            versus=BARE,
            limit=limit,
        )
        for argument, limit in LIMITS_MS.items()
    ]
