"""Starts programs as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import Confined, Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import ConfineRequest


class Unconfined:
    """Keeps nobody anywhere.

    What the core does at every level remains: limits, the end of the whole process tree, the
    hardened harvest, and the comparison of what lies outside the room.
    """

    def available(self, host_env: Mapping[str, str]) -> Probe:
        """Answer yes: nothing is needed."""
        del host_env
        return Probe(available=True)

    def confine(self, request: ConfineRequest) -> Confined:
        """Return the program unchanged."""
        return Confined(argv=request.argv, env=request.env)
