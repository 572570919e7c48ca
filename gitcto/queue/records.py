"""What the queue is about: items, runs, what a run said, and the facts a queue is folded from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gitcto.model.records import Priority, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One change that wants to land.

    ``id`` is the execution's id, ``seq`` its place among all that were ever enqueued, ``paths``
    the files it changes, ``lines`` how many lines, ``failure_rate`` the share (0 to 1) of its
    author's earlier changes that were rejected.
    """

    id: str
    seq: int
    enqueued_ms: int
    tier: Tier = "P1"
    priority: Priority = "normal"
    paths: frozenset[str] = frozenset()
    lines: int = 0
    failure_rate: float = 0.0


class RunKind(StrEnum):
    """Why a run is made."""

    JUDGE = "judge"
    """All gates on a tree that may land."""
    CONFIRM = "confirm"
    """Only the tests that failed, again, before anybody believes it."""
    SWEEP = "sweep"
    """All gates on the target's tip itself, which somebody else has moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A judgement of one tree: the target's tip, then ``prefix``, then ``unit``, merged in order.

    ``number`` counts the runs of a queue; ``tip`` is how often the target had moved when the run's
    tree was made. ``prefix`` are changes that the run takes to be good, ``unit`` those it is about.
    A confirmation names the run that it confirms and the tests to run again; without tests it
    repeats everything.
    """

    number: int
    kind: RunKind
    tip: int
    prefix: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    confirms: int = 0
    tests: tuple[str, ...] = ()

    @property
    def tree(self) -> tuple[str, ...]:
        """The changes that the run merges onto its tip, in order."""
        return self.prefix + self.unit


class Verdict(StrEnum):
    """What a run said. ``NOT_RUN`` is the harness's trouble: neither a pass nor anyone's fault."""

    GREEN = "green"
    RED = "red"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that said something, and the tests that failed where they are known."""

    run: Run
    verdict: Verdict
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """Fact: a change asked to land; ``overtaken`` is how often it was in an earlier queue."""

    item: Item
    overtaken: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """Fact: a run is under way and holds one slot."""

    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """Fact: a run came to an end, with a verdict or, when ``verdict`` is None, cancelled.

    ``executed`` is how many tests it executed: a green of none is not a green.
    """

    number: int
    verdict: Verdict | None
    executed: int = 0
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """Fact: the target moved to the tree of a green run, by the changes that were not on it yet."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """Fact: a change was sent back for its own fault."""

    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejected:
    """Fact: a change left the queue without a verdict: withdrawn, replaced, or a person's now."""

    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetMoved:
    """Fact: somebody else moved the target; nobody has judged where it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Fact: a person stopped the queue; what runs may end, nothing starts or lands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """Fact: a person let the queue go on; the harness's earlier trouble is forgotten."""


Fact = (
    Enqueued | RunStarted | RunEnded | Landed | Rejected | Ejected | TargetMoved | Paused | Resumed
)
