"""Deciding again all that a ledger says was decided, under the policies and strategies it keeps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from gitcto.git.objects import Objects
from gitcto.model.records import Decision
from gitcto.policy.decisions import reevaluate
from gitcto.policy.records import Policy
from gitcto.runtime.proving.adopted import adopted_policy
from gitcto.runtime.proving.recorded_strategies import recorded_strategy
from gitcto.runtime.proving.step_proof import StepProof
from gitcto.store.reader import LedgerReader

STEP = "step"
"""What is called a decision of a strategy: which step comes next, or what an attempt ends with."""


class Redecided(NamedTuple):
    """What the event with number ``seq`` says was decided, and what is different now.

    ``action`` was decided about ``resource`` by ``policy`` (empty: by a strategy) as ``recorded``
    says; ``differs`` says what it is now, "" when it is the same.
    """

    seq: int
    kind: str
    action: str
    resource: str
    policy: str
    recorded: str
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


def steps_again(objects: Objects, ledger: LedgerReader, only: str = "") -> StepProof:
    """Return what derives the steps of a ledger again, or those of one execution."""
    return StepProof(partial(recorded_strategy, objects, ledger), only)


def redecide(objects: Objects, ledger: LedgerReader) -> Iterator[Redecided]:
    """Yield every decision of a ledger, the oldest first, decided again."""
    judges = Judges(objects, ledger)
    steps = steps_again(objects, ledger)
    for stored in ledger.events():
        seq, kind = stored.seq, stored.event.kind
        decision = getattr(stored.event.body, "decision", None)
        if isinstance(decision, Decision):
            said = f"{decision.verdict} by {decision.rule}: {decision.reason}"
            about = (decision.action, decision.resource, decision.policy, said)
            yield Redecided(seq, kind, *about, judges.differs(decision))
        derived = steps.take(stored.event, seq)
        if derived is not None:
            yield Redecided(seq, kind, STEP, derived.task, "", derived.said, derived.differs)
