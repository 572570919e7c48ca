"""Events about who holds a task: leases that ended early, and work that came after its lease."""

from __future__ import annotations

from msgspec import Struct

from gitcto.model.body import Body


class Signs(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every sign of life of one worker, as its machine saw them at one look.

    ``supervised`` is whether its supervisor exists, ``beat_ms`` that one's last heartbeat as it
    wrote it (milliseconds since the epoch), ``cpu`` the CPU time of the whole tree, ``processes``
    how many there are, ``output`` the bytes it said; ``written_ns`` the newest time of a file in
    its room, 0 where nobody had to look. They are compared with each other and never with a clock.
    """

    supervised: bool = False
    beat_ms: int = 0
    cpu: str = ""
    processes: int = 0
    output: int = 0
    written_ns: int = 0


class LeaseExpired(Body, frozen=True, kw_only=True, tag_field="kind", tag="lease.expired"):
    """Nothing of a worker moved for as long as its lease and its idle limit allow.

    ``quiet_ms`` is for how long somebody looked on without seeing any of ``signs`` change,
    ``limit_ms`` what was allowed. Its ``execution.failed`` is in the same transaction.
    """

    execution: str
    epoch: int
    quiet_ms: int
    limit_ms: int
    signs: Signs


class LeaseStolen(Body, frozen=True, kw_only=True, tag_field="kind", tag="lease.stolen"):
    """A person took a task away from ``holder``. Its ``execution.failed`` is beside it."""

    execution: str
    epoch: int
    holder: str
    by: str
    reason: str


class StopAsked(Body, frozen=True, kw_only=True, tag_field="kind", tag="task.stop_asked"):
    """A person wants nobody to work on a task: it is blocked, once its worker has ended."""

    task: str
    reason: str


class WorkAdopted(Body, frozen=True, kw_only=True, tag_field="kind", tag="work.adopted"):
    """Work that came after its lease is judged as another execution's, which holds a lease.

    ``execution`` was leased in the same transaction, under a new token; ``source`` did the work.
    """

    execution: str
    source: str
    commit: str


class AdoptionRefused(Body, frozen=True, kw_only=True, tag_field="kind", tag="adoption.refused"):
    """Work that came after its lease is kept and not judged; ``reason`` is a stable code."""

    execution: str
    commit: str
    reason: str
    detail: str


LeaseEventBody = LeaseExpired | LeaseStolen | StopAsked | WorkAdopted | AdoptionRefused
"""Every kind of event about who holds a task, beside those of an attempt's ordinary life."""
