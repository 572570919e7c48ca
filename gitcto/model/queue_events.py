"""The events of the merge queue, of approvals and of pushes.

The queue's own are the facts that :mod:`gitcto.queue` folds: a run's facts begin with its
``queue.opened``.
"""

from __future__ import annotations

from typing import Literal

from gitcto.model.body import Body
from gitcto.model.records import Decision


class QueueOpened(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.opened"):
    """A run of the team took the queue up: what waits is enqueued anew, in its old order."""

    paused: bool = False


class QueueEnqueued(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.enqueued"):
    """Harvested work asks to land.

    ``change`` is the id of the change itself (see ``Verdict.change``); ``place`` the ledger's
    number of its harvest, ``paths`` what it touches, in directories when these are many, ``lines``
    how many lines it adds and removes. ``failures`` is how often its role and provider were
    rejected lately in ``judged`` changes; ``overtaken`` how often it was, before.
    """

    execution: str
    epoch: int
    change: str
    place: int
    enqueued_ms: int
    paths: tuple[str, ...] = ()
    lines: int = 0
    failures: int = 0
    judged: int = 0
    overtaken: int = 0


class QueueRunStarted(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.run_started"):
    """A judgement of one tree is under way; see ``gitcto.queue.records.Run``.

    ``onto`` is the commit at the target, of which ``tip`` counts the moves.
    """

    number: int
    run: Literal["judge", "confirm", "sweep"]
    tip: int
    onto: str
    prefix: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    confirms: int = 0
    tests: tuple[str, ...] = ()


class QueueRunEnded(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.run_ended"):
    """A run came to an end. ``tree`` is what it judged, ``failed`` names what was red in it.

    ``clash`` names changes of which, on top of one another, no tree can be made.
    """

    number: int
    verdict: Literal["green", "red", "not_run", "cancelled"]
    tree: str = ""
    executed: int = 0
    failed: tuple[str, ...] = ()
    reason: str = ""
    clash: tuple[str, ...] = ()


class QueueLanded(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.landed"):
    """The target was moved to the tree of run ``number``."""

    number: int


class QueueLeft(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.left"):
    """A change left the queue without landing.

    ``how`` is ``rejected`` for its own fault, which ``runs`` showed, or ``ejected``: nobody judged
    it.
    """

    execution: str
    how: Literal["rejected", "ejected"]
    reason: str
    runs: tuple[int, ...] = ()


class QueueTargetMoved(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.target_moved"):
    """The target is at ``commit``, which nobody judged: it is, before anything is judged on it.

    Somebody else moved it there, or something was red on it without any change.
    """

    commit: str


class QueuePaused(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.paused"):
    """A person stopped the queue: what is judged may end, nothing starts or lands."""

    reason: str = ""


class QueueResumed(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.resumed"):
    """A person let the queue go on; the harness's earlier trouble is forgotten."""


class EjectionAsked(Body, frozen=True, kw_only=True, tag_field="kind", tag="queue.ejection_asked"):
    """A person wants a change out of the queue; the run that holds it takes it out."""

    execution: str
    reason: str = ""


class ApprovalRequested(
    Body, frozen=True, kw_only=True, tag_field="kind", tag="approval.requested"
):
    """A change may land only once persons have said so; it is over at ``expires_ms``."""

    execution: str
    epoch: int
    change: str
    needed: int
    expires_ms: int


class ApprovalGranted(Body, frozen=True, kw_only=True, tag_field="kind", tag="approval.granted"):
    """``by`` approved exactly this change."""

    execution: str
    change: str
    by: str
    decision: Decision
    reason: str = ""


class ApprovalDenied(Body, frozen=True, kw_only=True, tag_field="kind", tag="approval.denied"):
    """``by`` refused this change, or took an approval back before it landed."""

    execution: str
    change: str
    by: str
    decision: Decision
    reason: str = ""


class BranchPushed(Body, frozen=True, kw_only=True, tag_field="kind", tag="branch.pushed"):
    """``remote`` holds ``commit`` at ``ref``: it was asked after the push."""

    remote: str
    ref: str
    commit: str


QueueEventBody = (
    QueueOpened
    | QueueEnqueued
    | QueueRunStarted
    | QueueRunEnded
    | QueueLanded
    | QueueLeft
    | QueueTargetMoved
    | QueuePaused
    | QueueResumed
    | EjectionAsked
    | ApprovalRequested
    | ApprovalGranted
    | ApprovalDenied
    | BranchPushed
)
