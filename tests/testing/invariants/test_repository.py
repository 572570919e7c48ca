"""What a real repository shows after a real run, and after somebody laid hands on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcto.testing.invariants import check_repository
from tests.runtime.team.conftest import TeamRepo, write

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> TeamRepo:
    """Return a team after its run: one task landed, one failed and was given up."""
    team = TeamRepo.make(tmp_path_factory.mktemp("ended"))
    team.policy_text = team.policy_text.replace("max_attempts = 2", "max_attempts = 1")
    good, bad = (write("a.txt", "a\n"),), (write("base.txt", "b\n"), {"do": "exit", "code": 3})
    team.plan(team.task("A", good), team.task("B", bad))
    team.run()
    assert [team.tasks()[name].state for name in "AB"] == ["done", "failed_terminal"]
    return team


def broken(team: TeamRepo) -> set[str]:
    found = check_repository(team.path, rooms_root=team.rooms, quiescent=True)
    return {each.invariant for each in found}


def test_a_real_team_keeps_every_invariant(ended: TeamRepo) -> None:
    assert check_repository(ended.path, rooms_root=ended.rooms, quiescent=True) == ()


def kept(team: TeamRepo) -> Callable[[], None]:
    """Drop the ref that keeps what failed."""
    (ref,) = team.preserved()
    oid = team.git("rev-parse", ref)
    team.git("update-ref", "-d", ref)
    return lambda: put_back(team, ref, oid)


def put_back(team: TeamRepo, ref: str, oid: str) -> None:
    team.git("update-ref", ref, oid)


def landed_again(team: TeamRepo) -> Callable[[], None]:
    """Put what landed on the target once more."""
    target = "refs/heads/cto/main/integration"
    tip = team.git("rev-parse", target)
    message = team.git("log", "-1", "--format=%B", tip)
    identity = ("-c", "user.name=u", "-c", "user.email=u@x")
    again = team.git(*identity, "commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", message)
    put_back(team, target, again)
    return lambda: put_back(team, target, tip)


def taken_back(team: TeamRepo) -> Callable[[], None]:
    """Take what landed off the target."""
    target = "refs/heads/cto/main/integration"
    tip = team.git("rev-parse", target)
    put_back(team, target, f"{tip}^")
    return lambda: put_back(team, target, tip)


def sidecar(team: TeamRepo) -> Callable[[], None]:
    """Say in the sidecar that what failed is done."""
    path = team.path / ".git/cto/sidecar.db"
    with sqlite3.connect(path) as db:
        db.execute("UPDATE task SET state = 'done' WHERE id = 'B'")
    db.close()
    return path.unlink


def left(folder: str) -> Callable[[TeamRepo], Callable[[], None]]:
    def leave(team: TeamRepo) -> Callable[[], None]:
        with team.ledger() as ledger:
            (execution,) = ledger.executions("A")
        roots = {"rooms": team.rooms / "main", "records": team.path / ".git/cto/teams/main"}
        place = roots["rooms"] if folder == "rooms" else roots["records"] / "executions"
        place = place / execution.id
        place.mkdir(parents=True)
        return place.rmdir

    return leave


def lock(team: TeamRepo) -> Callable[[], None]:
    path = team.path / ".git/refs/cto/teams/main/ledger.lock"
    path.touch()
    return path.unlink


HANDS: dict[str, tuple[set[str], Callable[[TeamRepo], Callable[[], None]]]] = {
    "kept work goes": ({"P1"}, kept),
    "it lands again": ({"S4", "S10"}, landed_again),
    "it is taken back": ({"S10"}, taken_back),
    "the sidecar lies": ({"S6"}, sidecar),
    "a room stays": ({"S13"}, left("rooms")),
    "records stay": ({"S13"}, left("records")),
    "a lock stays": ({"S13"}, lock),
}


@pytest.mark.parametrize("what", HANDS)
def test_what_was_done_to_it_is_seen(ended: TeamRepo, what: str) -> None:
    invariants, lay = HANDS[what]
    undo = lay(ended)
    assert broken(ended) == invariants
    undo()
    assert broken(ended) == set()


def test_a_ledger_that_is_gone_is_told(tmp_path: Path) -> None:
    team = TeamRepo.make(tmp_path)
    (found,) = check_repository(team.path)
    assert str(found).startswith("S7: refs/cto/teams/main/ledger does not exist")
