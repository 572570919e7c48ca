"""What jobs tell the loop. Each is a fact about one execution, quoting its fencing token."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitcto.model.agent_records import Usage
from gitcto.model.records import Execution
from gitcto.provider_contracts import NOTHING, WorkerReport
from gitcto.runtime.core.outside_record import Outside
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.worker.worker_values import Exit, Started


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was taken up from a room: a commit on the attempt's base."""

    commit: str
    tree: str
    changed: int


NO_WORK = Work(commit="", tree="", changed=0)
"""What was taken up from a room in which nothing can have been done."""


def work_of(execution: Execution) -> Work:
    """Return an execution's harvested work as the job reported it."""
    return Work(commit=execution.work, tree=execution.tree, changed=execution.changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """A step could not be started; ``work`` is None when its room must stay as it is."""

    turn: Turn
    reason: str
    detail: str
    work: Work | None = NO_WORK


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStarted:
    """A step's process exists."""

    turn: Turn
    started: Started


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFinished:
    """A step's process tree is gone, and its work was taken up or could not be.

    ``work`` is None when nothing could be harvested; ``refusal`` then says why. ``outside`` is what
    was different outside its room by then, ``altered`` what a step changed that was to read only.
    """

    turn: Turn
    exit: Exit
    report: WorkerReport
    work: Work | None
    refusal: str = ""
    refusal_detail: str = ""
    outside: Outside = field(default_factory=Outside)
    altered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRemoved:
    """A settled execution's room is gone, or ``problem`` says why it was kept."""

    execution: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LettersHanded:
    """A provider was given letters: those ``taken``, of them those ``shown``, and what went wrong.

    ``failed`` is the number of one that is to be tried again for ``reason``, or 0. ``closed``: the
    agent takes nothing while it runs.
    """

    execution: str
    taken: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()
    failed: int = 0
    reason: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPolled:
    """A running agent has used so much up to ``cursor`` in what it said."""

    run: str
    cursor: str = ""
    usage: Usage = NOTHING


Message = NotStarted | WorkerStarted | WorkerFinished | RoomRemoved | LettersHanded | AgentPolled
