"""Commands about who holds a task: leases that end early, and work that came after its lease."""

from __future__ import annotations

from msgspec import Struct

from gitcto.model.lease_events import Signs
from gitcto.model.records import Decision


class ExpireLease(Struct, frozen=True, kw_only=True):
    """End an attempt of which nothing moved; see :class:`gitcto.model.lease_events.LeaseExpired`.

    Refused when it was quiet for less than ``limit_ms``.
    """

    execution: str
    epoch: int
    quiet_ms: int
    limit_ms: int
    signs: Signs
    max_attempts: int


class StealLease(Struct, frozen=True, kw_only=True):
    """``by`` takes a task away from the execution that holds it at this token."""

    execution: str
    epoch: int
    by: str
    reason: str
    max_attempts: int


class StopTask(Struct, frozen=True, kw_only=True):
    """A person wants nobody to work on a task before it is asked for again."""

    task: str
    reason: str = ""


class AdoptWork(Struct, frozen=True, kw_only=True):
    """Judge the work of ``source``, which came after its lease, as ``execution``'s.

    ``unfinished`` is why the work is not whole, if it is not. Answered by an adoption or, when
    something newer exists or ``decision`` denies it, by its refusal: both are remembered, and
    asking again changes nothing.
    """

    source: str
    execution: str
    commit: str
    tree: str
    changed: int
    holder: str
    expires_ms: int
    nonce: str
    decision: Decision
    unfinished: str = ""


LeaseCommand = StealLease | StopTask | AdoptWork
"""Commands that quote no fencing token, or not their own."""
