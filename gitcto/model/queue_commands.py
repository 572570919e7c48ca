"""Commands about the merge queue, approvals and pushes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from gitcto.model.records import Decision


class OpenQueue(Struct, frozen=True, kw_only=True):
    """Take the queue up: whatever a former run of the team was judging is forgotten."""


class Enqueue(Struct, frozen=True, kw_only=True):
    """Let harvested work wait for landing; see :class:`gitcto.model.queue_events.QueueEnqueued`."""

    execution: str
    epoch: int
    change: str
    enqueued_ms: int
    paths: tuple[str, ...] = ()
    lines: int = 0
    failures: int = 0
    judged: int = 0
    overtaken: int = 0


class StartRun(Struct, frozen=True, kw_only=True):
    """Judge one tree; see :class:`gitcto.model.queue_events.QueueRunStarted`."""

    number: int
    run: Literal["judge", "confirm", "sweep"]
    tip: int
    onto: str
    prefix: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    confirms: int = 0
    tests: tuple[str, ...] = ()


class EndRun(Struct, frozen=True, kw_only=True):
    """A run came to an end; see :class:`gitcto.model.queue_events.QueueRunEnded`."""

    number: int
    verdict: Literal["green", "red", "not_run", "cancelled"]
    tree: str = ""
    executed: int = 0
    failed: tuple[str, ...] = ()
    reason: str = ""
    clash: tuple[str, ...] = ()


class RecordLanded(Struct, frozen=True, kw_only=True):
    """The target was moved to the tree of a green run."""

    number: int


class LeaveQueue(Struct, frozen=True, kw_only=True):
    """Take a change out of the queue; the attempt is failed in the same transaction."""

    execution: str
    how: Literal["rejected", "ejected"]
    reason: str
    runs: tuple[int, ...] = ()


class NoteTargetMoved(Struct, frozen=True, kw_only=True):
    """The target is where nobody has judged it."""

    commit: str


class PauseQueue(Struct, frozen=True, kw_only=True):
    """Stop the queue."""

    reason: str = ""


class ResumeQueue(Struct, frozen=True, kw_only=True):
    """Let the queue go on."""


class AskEjection(Struct, frozen=True, kw_only=True):
    """A person wants a change out of the queue."""

    execution: str
    reason: str = ""


class RequestApproval(Struct, frozen=True, kw_only=True):
    """Ask ``needed`` persons for their approval of a change."""

    execution: str
    epoch: int
    change: str
    needed: int
    expires_ms: int


class Approve(Struct, frozen=True, kw_only=True):
    """``by`` approves exactly the change with this id."""

    execution: str
    change: str
    by: str
    decision: Decision
    reason: str = ""


class Deny(Struct, frozen=True, kw_only=True):
    """``by`` refuses the change, also one that was approved and has not landed."""

    execution: str
    change: str
    by: str
    decision: Decision
    reason: str = ""


class RecordPush(Struct, frozen=True, kw_only=True):
    """A remote was seen to hold a commit."""

    remote: str
    ref: str
    commit: str


QueueCommand = (
    OpenQueue
    | StartRun
    | EndRun
    | RecordLanded
    | LeaveQueue
    | NoteTargetMoved
    | PauseQueue
    | ResumeQueue
    | AskEjection
    | Approve
    | Deny
    | RecordPush
)
"""Commands that quote no fencing token."""

QueueOutcome = Enqueue | RequestApproval
"""Commands that do."""
