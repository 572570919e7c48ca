"""The subject lines of what is done outside this repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model import effect_events as ev

if TYPE_CHECKING:
    from gitcto.model.view import StateView


def effect_phrase(view: StateView, body: ev.EffectEventBody) -> str:
    """Return what an event says."""
    if isinstance(body, ev.EffectIntended):
        return f"{body.task}: {body.effect} intended at {body.integration}"
    task = view.task(body.task)
    held = task.effects.get(body.key) if task else None
    return f"{body.task}: {held.effect if held else 'effect'} {_what(body)}"


def _what(
    body: ev.EffectConfirmed | ev.EffectRefused | ev.EffectUnclear | ev.EffectResolved,
) -> str:
    match body:
        case ev.EffectConfirmed():
            return f"{body.how}: {body.url}"
        case ev.EffectRefused():
            return f"refused ({body.why})"
        case ev.EffectUnclear():
            return f"unclear, a person must look ({body.why})"
        case ev.EffectResolved():
            return f"done, a person says: {body.url}" if body.done else "not done, a person says"
