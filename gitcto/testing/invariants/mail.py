"""Team mail: S9. What was sent is acted on, given up with a reason, or still under way."""

from __future__ import annotations

from collections.abc import Iterator

from gitcto.model.codec import Event
from gitcto.testing.invariants.leases import Found

PREFIX = "mail."
"""What the kinds of all events of the mail begin with."""


class Mail:
    """Counts messages by their state."""

    def see(self, event: Event) -> Iterator[Found]:
        """Check one event of the mail; any other is none of it."""
        del event
        yield from ()

    def end(self, *, quiescent: bool) -> Iterator[Found]:
        """Check that nothing is unaccounted for."""
        del quiescent
        yield from ()
