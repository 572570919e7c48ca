"""What a bundle is made of: everything that is known of an attempt when its evidence is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitcto.model.records import Execution, TaskSpec, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRun:
    """A verdict, what its gate printed and the files it left, by name.

    ``reused`` when the verdict is an earlier one on the same thing.
    """

    verdict: Verdict
    log: bytes = b""
    reused: bool = False
    artifacts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One event of the ledger as it stands there, with its number."""

    seq: int
    line: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """The beginning of what a worker printed; ``cut`` when there was more."""

    data: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One attempt, and what came of judging it.

    ``policy`` is the digest of the policy, ``required`` the gates that the tier demands.
    ``commit_tree`` is what the attempt's own commit on ``onto`` would hold, ``tree`` what was
    judged: the same, or that of several changes together. ``change`` is the id of the change,
    ``changes`` its paths with git's letters. ``events`` are the ledger's of this attempt so far;
    ``raw`` what the worker printed, by stream. ``blockers`` and ``detail`` say what keeps it from
    landing besides its gates. ``signed`` is whether the statements will be.
    """

    team: str
    task: TaskSpec
    execution: Execution
    policy: str
    required: tuple[str, ...]
    onto: str
    commit_tree: str
    tree: str
    change: str
    changes: tuple[tuple[str, str], ...]
    patch: bytes
    gates: tuple[GateRun, ...]
    events: tuple[LedgerLine, ...]
    raw: Mapping[str, Raw]
    produced_ms: int
    producer: str
    blockers: tuple[str, ...] = ()
    detail: str = ""
    signed: bool = False
