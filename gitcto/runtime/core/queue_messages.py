"""What the merge queue's jobs tell the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitcto.model.records import Landing
    from gitcto.runtime.core.queue_values import Composed, Entry, Misfit, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A change was judged on its own base; ``evidence`` is the bundle of a change that was red.

    ``lines`` is how many lines it adds and removes; ``unwritten`` says why a red one has no bundle.
    """

    entry: Entry
    lines: int
    evidence: str = ""
    unwritten: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOver:
    """A run of the queue came to its end: with an outcome, or no tree could be made for it."""

    number: int
    outcome: Outcome | Misfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The commits that would land are written, with their evidence."""

    composed: Composed


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The target holds the commits of a landing; ``push`` says where they were pushed, or why not.

    When not ``moved``, somebody else had moved the target.
    """

    landing: Landing
    moved: bool
    push: str = ""


QueueMessage = Admitted | RunOver | Written | Moved
