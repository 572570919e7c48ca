from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gitcto.model.lease_events import Signs
from gitcto.model.vigil import Vigil, closely, is_over, looked

LIMIT = 40_000
STILL = Signs(supervised=True, beat_ms=9, cpu="5", processes=2, output=7)

signs = st.builds(
    Signs,
    supervised=st.just(True),
    beat_ms=st.integers(0, 1),
    cpu=st.sampled_from(["5", "6"]),
    processes=st.integers(1, 2),
    output=st.integers(0, 1),
    written_ns=st.integers(0, 2),
)


def after(*looks: tuple[Signs, int]) -> Vigil:
    vigil: Vigil | None = None
    for seen, elapsed in looks:
        vigil = looked(vigil, seen, elapsed, LIMIT)
    assert vigil is not None
    return vigil


def test_silence_is_over_only_after_files_were_looked_at_too() -> None:
    at_files = replace(STILL, written_ns=3)
    assert not is_over(after(*[(STILL, 10_000)] * 9), LIMIT)
    assert is_over(after(*[(STILL, 10_000)] * 4, *[(at_files, 10_000)] * 2), LIMIT)
    assert closely(after(*[(STILL, 10_000)] * 3), LIMIT)
    assert not closely(after(*[(STILL, 10_000)] * 2), LIMIT)


def test_a_file_that_was_written_is_a_sign_of_life() -> None:
    one, two = replace(STILL, written_ns=3), replace(STILL, written_ns=4)
    assert after((STILL, 0), (one, 10_000), (one, 10_000), (two, 10_000)).quiet_ms == 0


def test_every_sign_counts() -> None:
    for change in ({"beat_ms": 10}, {"cpu": "6"}, {"processes": 3}, {"output": 8}):
        assert after((STILL, 0), (STILL, 9_000), (replace(STILL, **change), 9_000)).quiet_ms == 0


@given(st.integers(-(10**12), 10**12))
def test_a_jump_of_the_clock_or_a_looker_that_slept_ends_nobody(elapsed: int) -> None:
    seen = replace(STILL, written_ns=3)
    assert not is_over(after((seen, 0), (seen, elapsed), (seen, elapsed)), LIMIT)


@given(st.lists(st.tuples(signs, st.integers(-10, 10**6)), min_size=1, max_size=30))
def test_silence_never_counts_more_than_was_looked_on(looks: list[tuple[Signs, int]]) -> None:
    vigil = after(*looks)
    assert 0 <= vigil.quiet_ms <= sum(max(ms, 0) for _, ms in looks[1:])
    assert vigil.signs == looks[-1][0]
