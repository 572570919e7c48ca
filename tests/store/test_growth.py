"""The ledger packs itself: few loose objects, few bytes an event, nobody else's pack touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gitcto.git.repository import Repository
from gitcto.model import commands as cmd
from gitcto.model.records import TeamMode
from gitcto.store import growth
from gitcto.store.ledger import Ledger
from tests.store.conftest import TestEffects, git, recorded


def modes() -> Iterator[cmd.SetMode]:
    while True:
        yield cmd.SetMode(mode=TeamMode.PAUSED)
        yield cmd.SetMode(mode=TeamMode.RUNNING)


def counted(repository: Repository) -> dict[str, int]:
    lines = git(repository, "count-objects", "-v").splitlines()
    return {name: int(number) for name, number in (line.split(": ") for line in lines)}


def packs(repository: Repository) -> set[str]:
    return {path.stem for path in (repository.objects / "pack").glob("*.idx")}


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> int:
    """Pack every 8 commits and join 3 packs, so that a few dozen appends go through it all."""
    monkeypatch.setattr(growth, "PACK_EVERY", 8)
    monkeypatch.setattr(growth, "FAN_IN", 3)
    return 8


def test_the_ledger_is_packed_and_its_packs_are_joined(
    ledger: Ledger, repository: Repository, often: int
) -> None:
    for _, command in zip(range(often * 9), modes(), strict=False):
        recorded(ledger.transact(command))
        assert counted(repository)["count"] <= often + 2
    assert len(packs(repository)) == 1
    assert ledger.verify_chain() == []
    assert git(repository, "fsck", "--strict") == ""
    dump = ledger.sidecar().dump()
    ledger.rebuild()
    assert ledger.sidecar().dump() == dump


def test_other_peoples_packs_stay_and_a_multi_pack_index_stops_joining(
    ledger: Ledger, repository: Repository, often: int
) -> None:
    git(repository, "repack", "-ad", "-q")
    theirs = packs(repository)
    assert len(theirs) == 1
    git(repository, "multi-pack-index", "write")
    for _, command in zip(range(often * 4), modes(), strict=False):
        recorded(ledger.transact(command))
    assert theirs < packs(repository)
    assert len(packs(repository)) == 5
    assert git(repository, "fsck", "--strict") == ""


def test_a_users_gc_between_packings_does_no_harm(
    ledger: Ledger, repository: Repository, often: int
) -> None:
    for number, command in zip(range(often * 6), modes(), strict=False):
        recorded(ledger.transact(command))
        if number % 11 == 0:
            git(repository, "gc", "-q")
    assert ledger.verify_chain() == []
    assert git(repository, "fsck", "--strict") == ""


def test_packing_that_cannot_be_done_heals_and_is_tried_again(
    ledger: Ledger, repository: Repository, often: int
) -> None:
    """An object somebody pruned would stop every packing; appending goes on and it comes back."""
    oid = str(ledger.tip())
    (repository.objects / oid[:2] / oid[2:]).unlink()
    for _, command in zip(range(often * 3), modes(), strict=False):
        recorded(ledger.transact(command))
    assert packs(repository)
    assert ledger.verify_chain() == []
    assert counted(repository)["count"] <= often + 2


def test_a_sidecar_that_forgot_its_packs_starts_over(
    ledger: Ledger, repository: Repository, often: int, open_ledger: Callable[..., Ledger]
) -> None:
    commands = modes()
    for _, command in zip(range(often * 2), commands, strict=False):
        recorded(ledger.transact(command))
    ledger.close()
    (repository.cto_dir / "sidecar.db").unlink()
    again = open_ledger(using=TestEffects(seed=2))
    for _, command in zip(range(often * 2), commands, strict=False):
        recorded(again.transact(command))
    assert counted(repository)["count"] <= often + 2
    assert counted(repository)["in-pack"] <= often * 4 + 4
    assert git(repository, "fsck", "--strict") == ""


def test_a_packed_event_takes_few_bytes(
    ledger: Ledger, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "PACK_EVERY", 128)
    for _, command in zip(range(growth.PACK_EVERY), modes(), strict=False):
        recorded(ledger.transact(command))
    numbers = counted(repository)
    assert numbers["in-pack"] >= growth.PACK_EVERY
    assert numbers["size-pack"] * 1024 / numbers["in-pack"] < 400
