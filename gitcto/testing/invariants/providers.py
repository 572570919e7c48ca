"""Providers that rest, and what agents use: S16, S17 and S18."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitcto.model.circuit_events import CircuitProbed
from gitcto.model.events import ExecutionLeased
from gitcto.model.step_events import StepStarted
from gitcto.testing.invariants.leases import At, Check, Found
from gitcto.testing.invariants.records import Observed
from gitcto.testing.invariants.seen import WORKING, ExecutionSeen, Seen


def of_start(at: At, e: StepStarted) -> Iterator[Found]:
    """Check that nothing is asked of a provider that rests, but by its one probe."""
    circuit = at.seen.circuits.get(e.provider)
    if circuit is None or circuit.probe == e.execution:
        return
    if not circuit.until_ms or at.event.ts < circuit.until_ms:
        yield "S16", f"{e.execution} asks {e.provider}, which is parked"
    elif _probing(at.seen, e.provider, circuit.probe):
        yield "S16", f"{e.execution} asks {e.provider}, which {circuit.probe} tries"


def of_probe(at: At, e: CircuitProbed) -> Iterator[Found]:
    """Check that who tries a provider has begun to, and that there was something to try."""
    if e.provider not in at.seen.circuits:
        yield "S16", f"{e.execution} tries {e.provider}, which is not parked"
    x = at.seen.executions.get(e.execution)
    if x is None or e.provider not in x.asks.values():
        yield "S16", f"{e.execution} is to try {e.provider} and does not run it"


def _probing(seen: Seen, provider: str, probe: str) -> bool:
    x = seen.executions.get(probe)
    return x is not None and x.stage in WORKING and provider in x.asks.values()


def of_lease(at: At, e: ExecutionLeased) -> Iterator[Found]:
    """Check that all who work may use all that one execution may, and fit into the budget."""
    limit, each = at.bounds.team_tokens, at.bounds.execution_tokens
    if not limit or e.decision.action == "adopt":
        return
    used = sum(tokens for _, tokens, _ in at.seen.used.values())
    working = (at.seen.executions[name] for name in at.seen.live)
    aside = sum(_left(x, each) for x in working if x.stage in WORKING)
    if used + aside + max(each, 1) > limit:
        yield "S18", f"{e.execution} begins with {used} used and {aside} set aside of {limit}"


def _left(x: ExecutionSeen, each: int) -> int:
    return max(0, each - x.tokens)


def of_world(seen: Seen, observed: Observed) -> Iterator[Found]:
    """Check the totals that the team's record holds against the sum of the steps."""
    if observed.used is None:
        return
    for provider in sorted({*observed.used, *seen.used}):
        told, found = observed.used.get(provider), seen.used.get(provider)
        if told != found:
            yield "S17", f"{provider} is said to have used {told}, its steps used {found}"


CHECKS: Mapping[type, tuple[Check, ...]] = {
    StepStarted: (of_start,),
    CircuitProbed: (of_probe,),
    ExecutionLeased: (of_lease,),
}
"""What is checked of each kind of event, before it is taken in."""
