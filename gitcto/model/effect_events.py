"""The events of what is done outside this repository, each thing under one key."""

from __future__ import annotations

from typing import Literal

from gitcto.model.body import Body


class EffectIntended(Body, frozen=True, kw_only=True, tag_field="kind", tag="effect.intended"):
    """Something is about to be done outside; ``key`` finds it again at the integration.

    The key is made of the ledger, task, effect and the accepted result: neither attempt nor fencing
    token is in it. ``epoch`` is the task's token when it was decided: nothing is sent under an
    older one. What is to be sent is in the same transaction's tree, at ``effects/KEY.json``, and
    ``digest`` is its SHA-256. Clone ``sender`` alone may send, until ``until_ms``.
    """

    task: str
    key: str
    effect: str
    integration: str
    digest: str
    epoch: int
    sender: str
    until_ms: int


class EffectConfirmed(Body, frozen=True, kw_only=True, tag_field="kind", tag="effect.confirmed"):
    """The integration holds it: ``id`` and ``url`` are its receipt.

    ``how`` tells whether this sending ``created`` it or a look-up ``adopted`` what was there.
    """

    task: str
    key: str
    how: Literal["created", "adopted"]
    url: str
    id: str = ""


class EffectRefused(Body, frozen=True, kw_only=True, tag_field="kind", tag="effect.refused"):
    """It certainly was not done: the integration said no, or it was given up before sending."""

    task: str
    key: str
    why: str


class EffectUnclear(Body, frozen=True, kw_only=True, tag_field="kind", tag="effect.unclear"):
    """It may have been done and nobody can look it up: a person must, and nothing is sent again."""

    task: str
    key: str
    why: str


class EffectResolved(Body, frozen=True, kw_only=True, tag_field="kind", tag="effect.resolved"):
    """A person looked: it is ``done``, at ``url``, or it is not and may be sent again."""

    task: str
    key: str
    done: bool
    url: str = ""


EffectEventBody = EffectIntended | EffectConfirmed | EffectRefused | EffectUnclear | EffectResolved
