"""Bundles from a real team's run, and from accounts made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitcto.evidence.account import Account, GateRun, LedgerLine, Raw
from gitcto.evidence.compose import files_of, sealed
from gitcto.evidence.manifest import FILE_MODE, Found, with_manifest
from gitcto.model.codec import GENESIS, seal
from gitcto.model.events import ExecutionLeased, WorkHarvested
from gitcto.model.records import Decision, Execution, TaskSpec, TaskState, Verdict
from tests.runtime.team.conftest import TeamRepo

BASE, ONTO, WORK, TREE = "a" * 40, "b" * 40, "c" * 40, "d" * 40
CHANGE, POLICY, DEFINITION = "1" * 64, "2" * 64, "3" * 64
NONCE = "01kagj5r980000000000000nce"


def verdict(gate: str, **changes: Any) -> Verdict:
    """A green verdict."""
    usual = {"status": "pass", "reason": "ok", "tree": TREE, "definition": DEFINITION}
    return Verdict(**{"gate": gate, "duration_ms": 250, "executed": 3} | usual | changes)


def execution(**changes: Any) -> Execution:
    """An attempt whose worker ended well."""
    usual = {
        "id": "x1",
        "task": "A",
        "epoch": 1,
        "attempt": 1,
        "state": TaskState.VALIDATING,
        "holder": "box",
        "base": BASE,
        "provider": "fake",
        "role": "developer",
        "leased_ms": 1_700_000_000_000,
        "expires_ms": 1_700_000_900_000,
        "isolation": "confined",
        "sandbox": "strict",
        "nonce": NONCE,
        "started_ms": 1_700_000_001_000,
        "ended_ms": 1_700_000_002_000,
        "exit": "exited",
        "work": WORK,
        "tree": TREE,
        "changed": 1,
        "change": CHANGE,
        "place": 2,
    }
    return Execution(**usual | changes)


DECISION = Decision(
    action="dispatch",
    resource="A",
    subject="box",
    rule="concurrency.max_workers",
    policy=POLICY,
    inputs={},
    verdict="allow",
    reason="free",
)


def ledger_lines() -> tuple[LedgerLine, ...]:
    """The lease and the harvest of that attempt, as a ledger holds them."""
    leased = ExecutionLeased(
        execution="x1",
        task="A",
        epoch=1,
        attempt=1,
        base=BASE,
        provider="fake",
        role="developer",
        workspace="clone",
        holder="box",
        expires_ms=1_700_000_900_000,
        decision=DECISION,
        nonce=NONCE,
    )
    taken = WorkHarvested(execution="x1", epoch=1, commit=WORK, tree=TREE, changed=1)
    ids = iter(f"01kagj5r98000000000000000{n}" for n in range(9))
    sealed_lines = seal(
        [leased, taken],
        prev=GENESIS,
        actor="ada@box",
        now_ms=1_700_000_002_000,
        new_id=lambda: next(ids),
    )
    return tuple(LedgerLine(seq=n, line=line) for n, (_, line) in enumerate(sealed_lines, 1))


def account(**changes: Any) -> Account:
    """Everything about that attempt, judged green by two gates."""
    usual = {
        "team": "main",
        "task": TaskSpec(id="A", title="Do A | or Ä"),
        "execution": execution(),
        "policy": POLICY,
        "required": ("paths", "tests"),
        "onto": ONTO,
        "commit_tree": TREE,
        "tree": TREE,
        "change": CHANGE,
        "changes": (("A", "a.py"), ("M", "caf\udcc3.txt")),
        "patch": b"diff --git a/a.py b/a.py\n",
        "gates": (
            GateRun(verdict=verdict("paths", change=CHANGE), reused=True),
            GateRun(
                verdict=verdict("tests", failed=()),
                log=b"3 passed",
                artifacts={"scan.sarif": b'{"version":"2.1.0"}'},
            ),
        ),
        "events": ledger_lines(),
        "raw": {"stdout": Raw(data=b"\x00\xff out"), "stderr": Raw(data=b"", cut=True)},
        "produced_ms": 1_700_000_003_000,
        "producer": "0.1.0",
    }
    return Account(**usual | changes)


def bundle_of(made: Account) -> dict[str, bytes]:
    """The files of an unsigned bundle."""
    return with_manifest(sealed(files_of(made), {}))


def found(files: dict[str, bytes]) -> list[Found]:
    """The files as they would be read from a tree."""
    return [Found(path, FILE_MODE, data) for path, data in files.items()]


@pytest.fixture
def team(tmp_path: Path) -> TeamRepo:
    """A repository whose team has no tasks yet."""
    return TeamRepo.make(tmp_path)
