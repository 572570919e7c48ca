"""What is done outside: S4, each key once, and S2, by whoever may send it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitcto.model import effect_events as ev
from gitcto.testing.invariants.leases import At, Check, Found

_OPEN = "intended"


def of_intent(at: At, e: ev.EffectIntended) -> Iterator[Found]:
    """Check that nothing is sent again that was done, or that nobody knows of."""
    known = at.seen.effects.get(e.key, "")
    task = at.seen.tasks.get(e.task)
    if known in {"confirmed", "unclear"}:
        yield "S4", f"{e.effect} of {e.task} is {known} and is intended again"
    if task is None or e.epoch != task.epoch:
        yield (
            "S2",
            f"{e.effect} of {e.task} is intended under token {e.epoch}, which is not its own",
        )


def of_receipt(at: At, e: ev.EffectConfirmed) -> Iterator[Found]:
    """Check that what was done was intended, and has one receipt."""
    known = at.seen.effects.get(e.key)
    if known is None:
        yield "S4", f"an effect of {e.task} was done and never intended"
    elif known == "confirmed":
        yield "S4", f"an effect of {e.task} was done twice under one key: {e.url}"


def of_doubt(at: At, e: ev.EffectRefused | ev.EffectUnclear) -> Iterator[Found]:
    """Check that only what is under way can be refused or get lost."""
    known = at.seen.effects.get(e.key)
    if known != _OPEN:
        yield "S4", f"an effect of {e.task} is {known or 'not intended'}, and then {at.event.kind}"


CHECKS: Mapping[type, tuple[Check, ...]] = {
    ev.EffectIntended: (of_intent,),
    ev.EffectConfirmed: (of_receipt,),
    ev.EffectRefused: (of_doubt,),
    ev.EffectUnclear: (of_doubt,),
}
"""What is checked of each kind of event, before it is taken in."""
