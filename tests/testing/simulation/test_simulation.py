"""The product's loop through many seeds, the same each time, and red when the world is broken."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gitcto.runtime.core.ending import Ending
from gitcto.testing.simulation.history import History
from gitcto.testing.simulation.options import draw
from gitcto.testing.simulation.room_world import MadeUpRooms
from gitcto.testing.simulation.simulation import Result, Simulation
from gitcto.testing.simulation.world import MadeUpTarget

SEEDS = 60
"""How many seeds each run of the tests goes through: about 25 s of CPU."""

AT_ONCE = 20


def simulated(seed: int) -> Result:
    return Simulation(draw(seed)).run()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_whatever_dies_the_promises_hold(first: int) -> None:
    found = {
        seed: result.violations
        for seed in range(first, first + AT_ONCE)
        if (result := simulated(seed)).violations
    }
    assert found == {}, "again: python -m gitcto.testing.simulation --seed N -v"


@pytest.mark.parametrize("seed", [883])
def test_what_was_found_once_stays_mended(seed: int) -> None:
    """883: a change that another clone gave up kept its room as long as nobody ran again."""
    assert simulated(seed).violations == ()


@pytest.mark.timeout(300)
def test_a_seed_is_the_same_under_another_hash_seed() -> None:
    program = (
        "from gitcto.testing.simulation.options import draw\n"
        "from gitcto.testing.simulation.simulation import Simulation\n"
        "print([Simulation(draw(seed)).run().digest for seed in (3, 5, 12, 27)])\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(said) == 1


def red(seeds: range) -> str:
    """Return the first violation of some seeds, or nothing."""
    for seed in seeds:
        found = simulated(seed).violations
        if found:
            return found[0]
    return ""


@pytest.mark.timeout(300)
def test_work_that_nobody_keeps_is_missed(monkeypatch) -> None:
    monkeypatch.setattr(MadeUpRooms, "preserve", lambda *_: None)
    assert red(range(2, 12)).startswith("P1")


@pytest.mark.timeout(300)
def test_a_target_that_moves_by_itself_is_noticed(monkeypatch) -> None:
    honest = MadeUpTarget.move

    def twice(self, landing):
        honest(self, landing)
        return False

    monkeypatch.setattr(MadeUpTarget, "move", twice)
    assert red(range(2, 12))


@pytest.mark.timeout(300)
def test_a_room_that_never_goes_is_noticed(monkeypatch) -> None:
    monkeypatch.setattr(Ending, "settle", lambda *_: None)
    assert red(range(2, 12))


@pytest.mark.timeout(300)
def test_a_merge_that_drops_a_side_is_noticed(monkeypatch) -> None:
    def theirs(self, base, ours, theirs):
        return self.commits[theirs].tree, ()

    monkeypatch.setattr(History, "merge", theirs)
    assert red(range(2, 30))
