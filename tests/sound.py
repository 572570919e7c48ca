"""Every team that a test leaves in its directory must keep the invariants, whatever was done to it.

A test that breaks one on purpose says so: ``@pytest.mark.breaks("S10")``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcto.git.repository import discover
from gitcto.store.chain import teams
from gitcto.store.commits import LedgerBroken
from gitcto.testing.invariants import check_repository

ENVIRONMENT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}


def violations(root: Path) -> list[str]:
    """Return what is wrong with the teams of the repositories below a test's directory."""
    found = []
    for home in sorted([*root.glob("*/.git/cto"), *root.glob("*/*/.git/cto")]):
        path = home.parent.parent
        rooms = path.parent / "rooms"
        for team in teams(discover(path, ENVIRONMENT)):
            root_of_rooms = rooms if rooms.is_dir() else None
            try:
                found += map(str, check_repository(path, team, rooms_root=root_of_rooms))
            except LedgerBroken as broken:
                found.append(f"S7: {broken.message}")
    return found


@pytest.fixture(autouse=True)
def _teams_are_sound(request: pytest.FixtureRequest) -> Iterator[None]:
    if "tmp_path" not in request.fixturenames:
        yield
        return
    root: Path = request.getfixturevalue("tmp_path")
    yield
    if not root.is_dir():
        return
    breaks = {name for mark in request.node.iter_markers("breaks") for name in mark.args}
    found = violations(root)
    wrong = [each for each in found if each.split(":")[0].split()[0] not in breaks]
    assert not wrong, "\n".join(wrong)
    assert not breaks or found, f"{sorted(breaks)} is not broken any more"
