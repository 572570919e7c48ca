"""Every benchmark runs, on sizes too small to mean anything."""

import pytest

from bench.__main__ import benchmarks
from bench.measure import Effort, Row

TINY = Effort(rounds=1, share=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(benchmarks()))
def test_it_measures_something(name: str) -> None:
    rows: list[Row] = benchmarks()[name].measure(TINY)
    assert rows
    assert all(row.value >= 0 for row in rows)
    assert len({row.what for row in rows}) == len(rows)
