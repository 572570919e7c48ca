"""Watching a ledger go by, event by event, and judging it at its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gitcto.model.codec import Event
from gitcto.testing.invariants import (
    effects,
    landings,
    leases,
    liveness,
    mail,
    providers,
    steps,
    world,
)
from gitcto.testing.invariants.folding import take
from gitcto.testing.invariants.records import Bounds, Observed, Violation
from gitcto.testing.invariants.seen import Seen

_TABLES = (
    leases.CHECKS,
    landings.CHECKS,
    liveness.CHECKS,
    effects.CHECKS,
    providers.CHECKS,
    steps.CHECKS,
)
_CHECKS = {
    kind: tuple(check for table in _TABLES for check in table.get(kind, ()))
    for kind in {kind for table in _TABLES for kind in table}
}


def wrong_with(seen: Seen, event: Event, bounds: Bounds) -> Iterator[leases.Found]:
    """Yield what one event breaks, given what was seen before it and nothing of the time."""
    at = leases.At(seen, event, bounds)
    for check in _CHECKS.get(type(event.body), ()):
        yield from check(at, event.body)


class Watch:
    """Checks each event of one team against those before it; costs the same for each.

    ``ids`` are those of the events so far.
    """

    def __init__(self, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - it is frozen
        self.seen = Seen()
        self.ids: set[str] = set()
        self._bounds = bounds
        self._leases = liveness.Leases()
        self._mail = mail.Mail()
        self._links: set[tuple[str, str]] = set()
        self._number = 0

    def see(self, event: Event) -> Iterator[Violation]:
        """Yield what is wrong with the next event. Exhaust it: at its end, it is remembered."""
        self._number += 1
        for invariant, detail in self._found(event):
            yield Violation(invariant=invariant, seq=self._number, detail=detail)
        take(self.seen, event)

    def _found(self, event: Event) -> Iterator[leases.Found]:
        yield from self._chained(event)
        yield from self._leases.see(self.seen, event, self._bounds)
        yield from wrong_with(self.seen, event, self._bounds)
        yield from self._mail.see(event)

    def _chained(self, event: Event) -> Iterator[leases.Found]:
        """Check that no event is there twice, nor two after the same one.

        That each quotes the bytes of the one before it, only the ledger's lines can show.
        """
        for what, name in (("id", event.id), ("prev", event.prev)):
            if name and (what, name) in self._links:
                yield "S7", f"event {event.id} has the {what} of another"
            self._links.add((what, name))
        self.ids.add(event.id)

    def end(self, observed: Observed, *, quiescent: bool) -> Iterator[Violation]:
        """Yield what is wrong once the last event was seen."""
        for invariant, detail in self._at_end(observed, quiescent=quiescent):
            yield Violation(invariant=invariant, seq=0, detail=detail)

    def _at_end(self, observed: Observed, *, quiescent: bool) -> Iterator[leases.Found]:
        yield from world.of_world(self.seen, self.ids, observed)
        yield from providers.of_world(self.seen, observed)
        yield from self._mail.end(quiescent=quiescent)
        if observed.faults is not None:
            yield from liveness.of_faults(self.seen, observed.faults, observed.bounds)
        if quiescent:
            yield from landings.at_rest(self.seen)
            yield from liveness.at_rest(self.seen)
            yield from world.at_rest(self.seen, observed)


def check(
    events: Iterable[Event],
    observed: Observed = Observed(),  # noqa: B008 - it is frozen
    *,
    quiescent: bool = False,
) -> tuple[Violation, ...]:
    """Return every violation of the invariants by a team's events, in one pass over them.

    ``observed`` is what the world showed after the last of them. When nothing is under way any
    more (``quiescent``), all that was begun must have come to its end.
    """
    watch = Watch(observed.bounds)
    found = [violation for event in events for violation in watch.see(event)]
    return (*found, *watch.end(observed, quiescent=quiescent))
