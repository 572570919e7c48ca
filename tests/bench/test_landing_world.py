"""The branches of the landing benchmark are what their burst says: red, green, or red together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from bench import landing_world as world
from bench.landing import argv_of, place_of
from bench.measure import run
from bench.queue_bursts import Burst, Shape, burst
from bench.repositories import Place

SHAPE = Shape(count=4, bad=0.25, overlap=1.0, conflict=0.4)
SEED = 1


@pytest.fixture(scope="module")
def made() -> Burst:
    found = burst(SHAPE, SEED)
    assert found.bad
    assert found.enemies
    return found


@pytest.fixture(scope="module")
def place(made: Burst) -> Iterator[Place]:
    with place_of(made) as place:
        yield place


def green(place: Place, *branches: str) -> bool:
    """Merge branches by hand and run the tests."""
    place.git("checkout", "--quiet", "--detach", "main")
    for branch in branches:
        place.git("merge", "--quiet", "--no-edit", branch)
    try:
        run(argv_of(place, "test"), place.path, place.env)
    except RuntimeError:
        return False
    return True


def test_every_branch_alone_and_every_pair_is_as_the_burst_says(place: Place, made: Burst) -> None:
    names = [item.id for item in made.items]
    sets = [(), *((name,) for name in names), *combinations(names, 2)]
    assert {each: green(place, *each) for each in sets} == {each: made.green(each) for each in sets}
    assert world.tally(place.beside("test.tally")) == {"whole": len(sets), "part": 0}


def test_by_hand_lands_what_is_green_on_what_landed(place: Place, made: Burst) -> None:
    names = [item.id for item in made.items]
    expected: list[str] = []
    for name in names:
        if not made.breaks(name, expected):
            expected.append(name)
    assert world.by_hand(place, names, argv_of(place, "hand")) == expected
    assert Path(place.beside("hand.tally")).read_text() == "whole\n" * len(names)
