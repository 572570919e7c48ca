"""A ledger that was restored from an older copy: what it does not know is not done again."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from gitcto.errors import CtoError
from tests.runtime.team.conftest import write

LEDGER = "refs/cto/teams/main/ledger"


def set_back(team: Any, until: str) -> str:
    """Move the ledger back to the last transaction that says so; return where it was."""
    commits = team.git("log", "--reverse", "--format=%H %s", LEDGER).splitlines()
    found = [line.partition(" ")[0] for line in commits if until in line]
    was = team.git("rev-parse", LEDGER)
    team.git("update-ref", LEDGER, found[-1])
    for name in ("sidecar.db", "sidecar.db-wal", "sidecar.db-shm"):
        (team.path / ".git" / "cto" / name).unlink(missing_ok=True)
    return was


@pytest.mark.parametrize("until", ["1 tasks", "started as process", "harvested"])
def test_what_an_older_ledger_does_not_know_is_not_landed_twice(team: Any, until: str) -> None:
    team.plan(team.task("A", [write("a.txt", "a\n")]))
    team.run()
    assert team.landed() == ["A"]
    was = set_back(team, until)
    with pytest.raises(CtoError, match=r"holds work of A .* that the ledger does not know"):
        team.run()
    assert team.landed() == ["A"]
    team.git("update-ref", LEDGER, was)
    shutil.rmtree(team.path / ".git" / "cto" / "quarantine", ignore_errors=True)
    for name in ("sidecar.db", "sidecar.db-wal", "sidecar.db-shm"):
        (team.path / ".git" / "cto" / name).unlink(missing_ok=True)
    team.run()
    assert team.landed() == ["A"]


def test_a_landing_whose_outcome_alone_is_missing_is_recorded(team: Any) -> None:
    team.plan(team.task("A", [write("a.txt", "a\n")]))
    team.run()
    set_back(team, "landing on")
    team.run()
    assert team.landed() == ["A"]
    assert "landing.done" in team.told.kinds()
