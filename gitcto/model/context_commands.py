"""Commands about what workers are told."""

from __future__ import annotations

from msgspec import Struct


class RecordCheckpoint(Struct, frozen=True, kw_only=True):
    """What a worker is told; see :class:`gitcto.model.context_events.ContextCheckpointed`."""

    execution: str
    epoch: int
    number: int
    checksum: str
    previous: str
    blob: str
    tokens: int
    budget: int
    saved: int
