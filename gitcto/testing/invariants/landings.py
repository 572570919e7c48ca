"""Landings and other effects, as the ledger shows them: S4, S10 and S11."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitcto.model import events as ev
from gitcto.model.records import Landing, Verdict
from gitcto.testing.invariants.leases import At, Check, Found
from gitcto.testing.invariants.seen import ExecutionSeen, Seen


def of_intent(at: At, e: ev.LandingIntended) -> Iterator[Found]:
    """Check what is about to land: proved on that very tree, allowed, and approved."""
    x = at.seen.executions.get(e.execution)
    if x is None:
        return
    if e.landing.target != at.seen.target:
        yield "S10", f"{e.execution} would land on {e.landing.target}, not on the team's branch"
    if not e.landing.evidence:
        yield "S10", f"{e.execution} would land without evidence"
    if e.decision.verdict != "allow":
        yield "S10", f"{e.execution} would land though policy denied it"
    if at.seen.swaps.get(e.landing.new) == "done":
        yield "S4", f"{e.execution} would land by {e.landing.new[:12]}, which has landed"
    yield from _of_verdicts(x, e.execution, e.landing)
    yield from _of_approval(x, e.execution, e.landing)
    if x.blocked:
        yield "S11", f"{e.execution} would land though something outside its room changed"


def _of_verdicts(x: ExecutionSeen, name: str, landing: Landing) -> Iterator[Found]:
    about = [v for v in x.verdicts.values() if _is_about(v, landing)]
    if not any(v.status == "pass" for v in about):
        yield "S10", f"{name} would land a tree that no gate passed ({landing.tree[:12]})"
    yield from (
        ("S10", f"{name} would land a tree that {v.gate} did not pass")
        for v in about
        if v.status != "pass"
    )


def _is_about(verdict: Verdict, landing: Landing) -> bool:
    return verdict.change == landing.change if verdict.change else verdict.tree == landing.tree


def _of_approval(x: ExecutionSeen, name: str, landing: Landing) -> Iterator[Found]:
    if not x.asked:
        return
    enough = len(x.approved) >= x.needed and landing.change == x.asked
    if x.denied or not enough:
        yield "S10", f"{name} would land without the approval that was asked for"


def of_done(at: At, e: ev.LandingDone) -> Iterator[Found]:
    """Check that what is called landed is what was intended, and landed once."""
    x = at.seen.executions.get(e.execution)
    if e.commit in at.seen.landed:
        yield "S4", f"{e.commit[:12]} landed for {e.execution} and for {at.seen.landed[e.commit]}"
    if x is None or x.landing is None:
        yield "S10", f"{e.execution} landed without an intent"
        return
    intended = (x.landing.target, x.landing.commit or x.landing.new, x.landing.evidence)
    if (e.target, e.commit, e.evidence) != intended:
        yield "S10", f"{e.execution} landed otherwise than was intended"
    if not e.evidence:
        yield "S10", f"{e.execution} is done without evidence"
    if e.decision.verdict != "allow":
        yield "S10", f"{e.execution} is done though policy denied it"
    if at.seen.swaps.get(x.landing.new) == "abandoned":
        yield "S10", f"{e.execution} landed by a move that was abandoned for another"
    if x.blocked:
        yield "S11", f"{e.execution} is done though something outside its room changed"


def of_abandoned(at: At, e: ev.LandingAbandoned) -> Iterator[Found]:
    """Check that of what lands by one move not a part is given up."""
    x = at.seen.executions.get(e.execution)
    if x is not None and x.landing is not None and at.seen.swaps.get(x.landing.new) == "done":
        yield "S10", f"{e.execution} is given up, others of the same move are done"


CHECKS: Mapping[type, tuple[Check, ...]] = {
    ev.LandingIntended: (of_intent,),
    ev.LandingDone: (of_done,),
    ev.LandingAbandoned: (of_abandoned,),
}
"""What is checked of each kind of event, before it is taken in."""


def at_rest(seen: Seen) -> Iterator[Found]:
    """Check that every intent has its outcome, once nothing is under way."""
    for name in seen.live:
        if seen.executions[name].stage == "intended":
            yield "S4", f"{name} was about to land, and nobody knows whether it did"
