"""Deciding again all that a ledger says was decided, under the policies of its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitcto.git.objects import Objects
from gitcto.model.records import Decision
from gitcto.policy.decisions import reevaluate
from gitcto.policy.records import Policy
from gitcto.runtime.proving.adopted import adopted_policy
from gitcto.store.reader import LedgerReader


class Redecided(NamedTuple):
    """A recorded decision, the number of its event, and what is different now; "" for nothing."""

    seq: int
    kind: str
    decision: Decision
    differs: str


class Judges:
    """Decides again, each policy read once."""

    def __init__(self, objects: Objects, ledger: LedgerReader) -> None:
        self._objects, self._ledger = objects, ledger
        self._policies: dict[str, Policy | str] = {}

    def differs(self, decision: Decision) -> str:
        """Return in what the same inputs lead to something else, or nothing."""
        digest = decision.policy
        if digest not in self._policies:
            self._policies[digest] = adopted_policy(self._objects, self._ledger, digest)
        policy = self._policies[digest]
        if isinstance(policy, str):
            return policy
        again = reevaluate(policy, decision)
        return "" if again == decision else f"{again.verdict} by {again.rule}: {again.reason}"


def redecide(objects: Objects, ledger: LedgerReader) -> Iterator[Redecided]:
    """Yield every decision of a ledger, the oldest first, decided again."""
    judges = Judges(objects, ledger)
    for stored in ledger.events():
        decision = getattr(stored.event.body, "decision", None)
        if isinstance(decision, Decision):
            differs = judges.differs(decision)
            yield Redecided(stored.seq, stored.event.kind, decision, differs)
