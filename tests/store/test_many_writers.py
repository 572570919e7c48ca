"""Several processes, a user's gc and kill -9: every acknowledged event is there exactly once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcto.git.repository import Repository
from gitcto.store.ledger import Ledger
from tests.store.conftest import ENVIRONMENT, TestEffects, git, lease, recorded

WRITER = Path(__file__).with_name("writer.py")


def start(repository: Repository, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), "demo", *map(str, arguments)],
        cwd=str(repository.work_tree),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sound(ledger: Ledger, acknowledged: list[str]) -> None:
    """Check the chain, that nothing acknowledged is missing, and that the tables agree."""
    assert ledger.verify_chain() == []
    stored = Counter(event.event.id for event in ledger.events())
    assert [name for name in acknowledged if stored[name] != 1] == []
    dump = ledger.sidecar().dump()
    ledger.rebuild()
    assert ledger.sidecar().dump() == dump


def test_processes_share_a_ledger_while_refs_and_objects_are_packed(
    ledger: Ledger, repository: Repository
) -> None:
    writers = [start(repository, 25) for _ in range(3)]
    rounds = 0
    while any(writer.poll() is None for writer in writers):
        git(repository, "pack-refs", "--all", "--prune")
        if rounds % 4 == 0:
            git(repository, "gc", "-q")
        rounds += 1
    ends = [writer.communicate() for writer in writers]
    assert [error for _, error in ends if error] == []
    acknowledged = [name for out, _ in ends for name in out.split()]
    assert len(acknowledged) == 3 * 25 * 2
    assert rounds > 1
    sound(ledger, acknowledged)
    assert len(list(ledger.events())) == 5 + len(acknowledged)


@pytest.mark.parametrize("after", [1, 4, 9])
def test_kill_9_between_two_acknowledgements(
    ledger: Ledger, repository: Repository, open_ledger: Callable[..., Ledger], after: int
) -> None:
    writer = start(repository, 1000)
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(after)]
    writer.kill()
    out, _ = writer.communicate()
    acknowledged = "".join([*lines, out.rpartition("\n")[0]]).split()
    assert len(acknowledged) >= 2 * after
    again = open_ledger(using=TestEffects(seed=2))
    recorded(again.transact(lease("T1", "x1")))
    sound(again, acknowledged)
    assert ledger.summary() == again.summary()


@pytest.mark.parametrize("point", ["ledger.object", "ledger.ref", "ledger.sidecar"])
def test_kill_9_at_each_crash_point(
    ledger: Ledger, repository: Repository, open_ledger: Callable[..., Ledger], point: str
) -> None:
    acknowledged: list[str] = []
    for passes in (1, 3):
        writer = start(repository, 10, point, passes)
        out, error = writer.communicate(timeout=50)
        assert (writer.returncode, error) == (-9, "")
        acknowledged += out.split()
    assert len(acknowledged) == 2 * 2
    made = 2 if point == "ledger.object" else 4
    again = open_ledger(using=TestEffects(seed=2))
    assert len(list(again.events())) == 5 + 2 * made
    recorded(again.transact(lease("T1", "x1")))
    sound(again, acknowledged)
    assert ledger.summary() == again.summary()
