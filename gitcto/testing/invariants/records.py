"""What a check of invariants finds, and what it may be told of the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitcto.model.records import MAX_WORKERS

MEANING: Mapping[str, str] = {
    "P1": "no work is lost: it is landed, kept under a ref, or given up by a person",
    "S1": "a task is done at most once, and an execution ends once",
    "S2": "what is accepted comes from the lease that holds at that place of the ledger",
    "S3": "fencing tokens only grow, and neither they nor ids are used twice",
    "S4": "an effect is carried out at most once, and once when everything is at rest",
    "S5": "a task starts when what it depends on is done",
    "S6": "the sidecar is the ledger's fold, byte for byte",
    "S7": "the ledger is one chain without gaps",
    "S8": "what was acknowledged is in the ledger",
    "S9": "every message sent is acted on, given up with a reason, or under way",
    "S10": "the target moves by the queue's landings alone, each with its evidence",
    "S11": "nothing outside the rooms changed, and what did keeps its execution from landing",
    "S12": "no process of an execution is alive after its end",
    "S13": "recovery leaves no lock, room, ref or worktree behind",
    "S14": "never more workers at once than the limit",
    "S15": "steps follow each other, one in each seat, and nothing unapproved is taken up",
    "S16": "nothing is asked of a provider that rests, but by the one attempt that tries it",
    "S17": "what agents used in all is the sum of what their runs used",
    "S18": "nothing begins that would not fit into the budget with all that it may use",
    "L1": "when faults stop, every task comes to its end",
    "L2": "a lease that is over is renewed, taken or ended within a bound",
    "L3": "a fault wastes a bounded amount of work",
}
"""Every invariant in a line; see ``docs/explanation/reliability.md``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An invariant that does not hold, at event ``seq``; 0 is what the world shows."""

    invariant: str
    seq: int
    detail: str

    def __str__(self) -> str:
        """Return it in a line."""
        where = f" at event {self.seq}" if self.seq else ""
        return f"{self.invariant}{where}: {self.detail} ({MEANING[self.invariant]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCommit:
    """A commit of the target's first-parent history, with the trailers that name its origin."""

    commit: str
    executions: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is promised in numbers: at most so many, within so long (milliseconds).

    ``lease_ms`` is how long after its end a lease may wait for whoever runs the team to see to it,
    ``wasted_per_fault`` how many attempts one fault may cost. ``team_tokens`` and
    ``execution_tokens`` are budgets of policy (0: none).
    """

    max_workers: int = MAX_WORKERS
    lease_ms: int = 120_000
    wasted_per_fault: int = MAX_WORKERS
    team_tokens: int = 0
    execution_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Facts of the world that a ledger cannot say. What is None was not asked.

    ``target`` is the first-parent history of the target, the oldest commit first;
    ``unreachable`` commits that no ref reaches; ``unproved`` executions whose landing cites
    evidence that the ledger does not hold; ``alive`` executions with a living process; ``left``
    says what is left of an execution (by id); ``locks`` are stale lock files; ``outside`` names
    what changed outside the rooms and no event tells of; ``projection`` is the first difference
    between the sidecar and a rebuilt one, ``chain`` what is wrong with the ledger's commits;
    ``acknowledged`` are ids of events that somebody was told are recorded; ``faults`` how many
    faults there were; ``used`` is what the team's record says of each provider: runs, tokens,
    millionths of a dollar.
    """

    target: tuple[TargetCommit, ...] | None = None
    unreachable: frozenset[str] = frozenset()
    unproved: frozenset[str] = frozenset()
    alive: frozenset[str] = frozenset()
    left: Mapping[str, str] = field(default_factory=dict)
    locks: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    projection: str = ""
    chain: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()
    faults: int | None = None
    used: Mapping[str, tuple[int, int, int]] | None = None
    bounds: Bounds = Bounds()
