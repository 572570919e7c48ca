"""What jobs tell the loop. Each is a fact about one execution, quoting its fencing token."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitcto.contracts import WorkerReport
from gitcto.model.records import Execution, Verdict
from gitcto.runtime.outside import Outside
from gitcto.runtime.workers import Exit, Started


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was taken up from a room: a commit on the attempt's base."""

    commit: str
    tree: str
    changed: int


NO_WORK = Work(commit="", tree="", changed=0)
"""What was taken up from a room in which nothing can have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """The worker could not be started; ``work`` is None when its room must stay as it is."""

    execution: Execution
    reason: str
    detail: str
    work: Work | None = NO_WORK


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStarted:
    """The worker's process exists."""

    execution: Execution
    started: Started


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFinished:
    """The worker's process tree is gone, and its work was taken up or could not be.

    ``work`` is None when nothing could be harvested; ``refusal`` then says why. ``outside`` is what
    was different outside its room by then.
    """

    execution: Execution
    exit: Exit
    report: WorkerReport
    work: Work | None
    refusal: str = ""
    refusal_detail: str = ""
    outside: Outside = field(default_factory=Outside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """The merge queue's judgement of one attempt on one tip of the target.

    ``tree`` is empty when the merge conflicted; ``commit`` is what would land, empty when a
    required gate did not pass. ``evidence`` is the bundle's tree; ``unwritten`` says why there is
    none, and then nothing may land.
    """

    execution: Execution
    onto: str
    tree: str = ""
    commit: str = ""
    evidence: str = ""
    verdicts: tuple[Verdict, ...] = ()
    conflicts: tuple[str, ...] = ()
    detail: str = ""
    change: str = ""
    unwritten: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRemoved:
    """A settled execution's room is gone, or ``problem`` says why it was kept."""

    execution: str
    problem: str = ""


Message = NotStarted | WorkerStarted | WorkerFinished | Validated | RoomRemoved
