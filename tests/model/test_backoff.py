from __future__ import annotations

from gitcto.model.agent_records import Fault
from gitcto.model.backoff import wait_ms

RATE = Fault(kind="rate")
IDS = [f"{number:026d}" for number in range(400)]


def waits(faults: int, fault: Fault = RATE) -> list[int]:
    return [wait_ms(fault, faults, each, 1_000, 60_000) for each in IDS]


def test_the_bound_doubles_and_what_is_drawn_fills_it() -> None:
    for faults, bound in ((0, 1_000), (1, 2_000), (3, 8_000), (9, 60_000), (90, 60_000)):
        drawn = waits(faults)
        assert all(0 <= each < bound for each in drawn)
        assert max(drawn) > bound * 9 // 10 > bound // 10 > min(drawn)


def test_the_same_execution_waits_as_long_whoever_draws() -> None:
    assert waits(4) == waits(4)


def test_it_is_never_less_than_the_provider_said() -> None:
    told = waits(0, Fault(kind="rate", retry_after_s=30))
    assert all(30_000 <= each < 31_000 for each in told)
