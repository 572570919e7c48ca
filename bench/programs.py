"""The installed program, and how much memory a run of it needs at most."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench import peak
from bench.measure import Cost, program
from bench.repositories import Place

GIT_CTO = str(Path(sys.executable).parent / "git-cto")
"""The console script of the environment that this runs in."""


class Measured(NamedTuple):
    """A run's cost, and the most memory that its own process held at once (bytes)."""

    cost: Cost
    peak_bytes: int


def with_peak(place: Place, *arguments: str, expected: int = 0) -> Measured:
    """Run git-cto, or with no arguments a bare interpreter.

    Its children count to the cost, as far as it waits for them, but not to the memory.
    """
    told = place.beside("peak")
    argv: Sequence[str] = (sys.executable, "-P", str(peak.__file__), str(told), *arguments)
    cost = program(argv, place.path, place.env, expected)
    return Measured(cost, int(told.read_text()))
