"""The events of what workers are told."""

from __future__ import annotations

from gitcto.model.body import Body


class ContextCheckpointed(
    Body, frozen=True, kw_only=True, tag_field="kind", tag="context.checkpointed"
):
    """What the worker of an execution is told, as it stands: the ``number``-th of its task.

    ``blob`` holds it, also in the same transaction's tree at ``context/EXECUTION.json``, and
    ``checksum`` is its SHA-256; ``previous`` that of the checkpoint it goes on from. ``tokens`` is
    the estimated length of its prompt, ``budget`` the most that policy allows, ``saved`` what
    compacting took away.
    """

    execution: str
    epoch: int
    number: int
    checksum: str
    previous: str
    blob: str
    tokens: int
    budget: int
    saved: int
