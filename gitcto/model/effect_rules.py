"""Deciding and evolving what is done outside this repository. Pure.

A key goes ``intended`` to ``confirmed``, ``refused`` or ``unclear``; only what certainly was not
done (``refused``, or ``released`` by a person) is intended again under another decision.
"""

from __future__ import annotations

from typing import get_args

from msgspec.structs import asdict, replace

from gitcto.model import effect_commands as cmd
from gitcto.model import effect_events as ev
from gitcto.model.commands import Refusal
from gitcto.model.records import OutsideEffect, Record, Task, Team
from gitcto.model.view import StateView

Answer = tuple[ev.EffectEventBody, ...] | Refusal

EFFECT_COMMANDS = get_args(cmd.EffectCommand)
"""The types of the commands that :func:`decide_effect` answers."""

EFFECT_EVENTS = get_args(ev.EffectEventBody)
"""The types of the events that :func:`evolve_effect` folds."""

_RULE = "model.effects"


def decide_effect(view: StateView, command: cmd.EffectCommand, now_ms: int) -> Answer:
    """Return the events of a command, or why it is refused."""
    task = view.task(command.task)
    if task is None:
        return Refusal("no_task", "model.task", f"there is no task {command.task}")
    held = task.effects.get(command.key)
    if isinstance(command, cmd.IntendEffect):
        return _intend(task, held, command, now_ms)
    if held is None:
        return Refusal("no_effect", _RULE, f"{command.task} has no effect {command.key[:12]}")
    match command:
        case cmd.ConfirmEffect():
            return () if held.state == "confirmed" else (ev.EffectConfirmed(**asdict(command)),)
        case cmd.RefuseEffect():
            return _from_intended(held, ev.EffectRefused(**asdict(command)))
        case cmd.DoubtEffect():
            return _from_intended(held, ev.EffectUnclear(**asdict(command)))
    return _resolve(held, command)


def _intend(task: Task, held: OutsideEffect | None, c: cmd.IntendEffect, now_ms: int) -> Answer:
    if held is not None and held.state in {"confirmed", "unclear"}:
        return Refusal(f"effect_{held.state}", _RULE, f"{held.effect} of {c.task} is {held.state}")
    if c.epoch != task.epoch:
        detail = f"{c.task} is under fencing token {task.epoch}, this was decided under {c.epoch}"
        return Refusal("fenced", "model.fencing", detail)
    if held is not None and held.state == "intended":
        if held.sender != c.sender and now_ms < held.until_ms:
            detail = f"another clone ({held.sender}) is sending the {held.effect} of {c.task}"
            return Refusal("effect_held", _RULE, detail)
        if held.sender == c.sender and held.epoch == c.epoch and now_ms < held.until_ms:
            return ()
    return (ev.EffectIntended(**asdict(c)),)


def _from_intended(held: OutsideEffect, event: ev.EffectEventBody) -> Answer:
    if held.state != "intended":
        return Refusal("wrong_state", _RULE, f"the {held.effect} is {held.state}, not intended")
    return (event,)


def _resolve(held: OutsideEffect, c: cmd.ResolveEffect) -> Answer:
    if held.state not in {"unclear", "released"} and held.how != "person":
        detail = f"the {held.effect} is {held.state}: no person is asked"
        return Refusal("not_unclear", _RULE, detail)
    return (ev.EffectResolved(**asdict(c)),)


def evolve_effect(view: StateView, team: Team, event: ev.EffectEventBody) -> tuple[Record, ...]:
    """Return the records that an event replaces."""
    task = view.task(event.task)
    held = task.effects.get(event.key) if task else None
    if task is None or (held is None and not isinstance(event, ev.EffectIntended)):
        return ()
    after = _after(held, event)
    changed = replace(task, effects={**task.effects, event.key: after})
    unclear = (after.state == "unclear") - (held is not None and held.state == "unclear")
    return (changed,) if unclear == 0 else (replace(team, unclear=team.unclear + unclear), changed)


def _after(held: OutsideEffect | None, event: ev.EffectEventBody) -> OutsideEffect:
    if isinstance(event, ev.EffectIntended):
        return OutsideEffect(
            key=event.key,
            effect=event.effect,
            integration=event.integration,
            epoch=event.epoch,
            sender=event.sender,
            until_ms=event.until_ms,
        )
    if held is None:
        raise AssertionError("only an intent comes first")
    match event:
        case ev.EffectConfirmed():
            return replace(held, state="confirmed", how=event.how, url=event.url, id=event.id)
        case ev.EffectRefused():
            return replace(held, state="refused", why=event.why)
        case ev.EffectUnclear():
            return replace(held, state="unclear", why=event.why)
    if event.done:
        return replace(held, state="confirmed", how="person", url=event.url)
    return replace(held, state="released", how="", url="")
