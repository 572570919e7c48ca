"""Commands about what is done outside this repository."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class IntendEffect(Struct, frozen=True, kw_only=True):
    """Do something outside next; see :class:`gitcto.model.effect_events.EffectIntended`."""

    task: str
    key: str
    effect: str
    integration: str
    digest: str
    epoch: int
    sender: str
    until_ms: int


class ConfirmEffect(Struct, frozen=True, kw_only=True):
    """The integration holds it. That is so whatever became of the fencing token."""

    task: str
    key: str
    how: Literal["created", "adopted"]
    url: str
    id: str = ""


class RefuseEffect(Struct, frozen=True, kw_only=True):
    """It certainly was not done."""

    task: str
    key: str
    why: str


class DoubtEffect(Struct, frozen=True, kw_only=True):
    """It may have been done, and cannot be looked up."""

    task: str
    key: str
    why: str


class ResolveEffect(Struct, frozen=True, kw_only=True):
    """A person says what became of it; until it is sent again, they may say otherwise."""

    task: str
    key: str
    done: bool
    url: str = ""


EffectCommand = IntendEffect | ConfirmEffect | RefuseEffect | DoubtEffect | ResolveEffect
