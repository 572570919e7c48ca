"""What the scheduler asks for. The shell carries it out and reports back as facts."""

from __future__ import annotations

from dataclasses import dataclass

from gitcto.queue.records import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a run."""

    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """End a run that nobody can learn from any more."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """Move the target to the tree of a green run; ``items`` are the changes that are new on it."""

    number: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Send a change back: run ``number`` of it was red, and so were the confirmations."""

    item: str
    number: int
    confirmations: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eject:
    """Give a change to a person, because the harness cannot judge it."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Do nothing yet about ``items``, or about everything when there are none, and say why."""

    items: tuple[str, ...]
    reason: str


Action = Start | Cancel | Land | Reject | Eject | Hold
