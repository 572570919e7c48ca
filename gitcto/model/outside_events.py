"""The event of something that changed outside a worker's room."""

from __future__ import annotations

from gitcto.model.body import Body


class OutsideChanged(Body, frozen=True, kw_only=True, tag_field="kind", tag="security.outside"):
    """Something outside an execution's room was different after its worker had ended.

    ``changes`` name what, one line each. ``blocking`` ones keep the execution from landing: its
    level of isolation does not rule out that the worker did it.
    """

    execution: str
    changes: tuple[str, ...]
    blocking: bool
