"""Whatever the provider answers and wherever we die: done once where it can be looked up.

Where it cannot, it is sent at most once, and what nobody knows is a person's to say.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError
from gitcto.model.commands import Refusal
from gitcto.model.effect_commands import ResolveEffect
from tests.runtime.outside_effects.conftest import World

if TYPE_CHECKING:
    from gitcto.runtime.delivery.effect_orders import Order

ANSWERS = ("ok", "reply lost", "5xx after", "timeout before", "twice")
POINTS = (
    ("", 1),
    ("ledger.object", 1),  # before the intent
    ("effect.intended", 1),
    ("effect.sent", 1),
    ("ledger.object", 2),  # before the receipt
    ("effect.confirmed", 1),
)


def settle(world: World, order: Order) -> None:
    """Start again and ask again until nothing changes any more; look each time."""
    key = world.key(order)
    world.recover(order)
    for _ in range(3):
        assert len(world.provider.done(key)) <= 1
        with suppress(CtoError):
            world.ask(order)
    assert len(world.provider.done(key)) <= 1


def resolve(world: World, order: Order) -> None:
    """Look at the provider, as a person would, and say what was seen there."""
    key = world.key(order)
    done = world.provider.done(key)
    url = done[0]["url"] if done else ""
    with world.repo.ledger() as ledger:
        said = ResolveEffect(task=order.task, key=key, done=bool(done), url=url)
        assert not isinstance(ledger.transact(said), Refusal)


@pytest.mark.parametrize("point", POINTS, ids="{0[0]} {0[1]}".format)
@pytest.mark.parametrize("answer", ANSWERS)
def test_with_look_up_it_is_done_once(world: World, answer: str, point: tuple[str, int]) -> None:
    order = world.order("exact")
    key = world.key(order)
    world.provider.script(key, answer)

    def ask() -> None:
        with suppress(CtoError):
            world.ask(order)

    if point[0]:
        world.dies(ask, *point)
    else:
        ask()
    settle(world, order)
    [made] = world.provider.done(key)
    held = world.held(order)
    assert held is not None
    assert (held.state, held.url) == ("confirmed", made["url"])
    assert world.kinds(order).count("effect.confirmed") == 1


@pytest.mark.parametrize("point", POINTS, ids="{0[0]} {0[1]}".format)
@pytest.mark.parametrize("answer", ANSWERS)
def test_without_look_up_it_is_sent_at_most_once_and_a_person_has_the_last_word(
    world: World, answer: str, point: tuple[str, int]
) -> None:
    order = world.order("none")
    key = world.key(order)
    world.provider.script(key, answer)

    def ask() -> None:
        with suppress(CtoError):
            world.ask(order)

    if point[0]:
        world.dies(ask, *point)
    else:
        ask()
    settle(world, order)
    assert world.provider.received(key) <= 1
    while world.state(order) != "confirmed":
        sendings = world.provider.received(key)
        assert world.state(order) == "unclear"
        with pytest.raises(CtoError) as told:
            world.ask(order)
        assert "cannot be looked up" in told.value.message
        assert f"git cto effects resolve {key[:12]}" in told.value.hint
        assert world.provider.received(key) == sendings
        resolve(world, order)
        settle(world, order)
    assert len(world.provider.done(key)) == 1


def test_a_definite_no_is_recorded_and_may_be_asked_again(world: World) -> None:
    for integration in ("exact", "none"):
        order = world.order(integration)
        key = world.key(order)
        world.provider.script(key, "no")
        with pytest.raises(CtoError, match="the provider said 422"):
            world.ask(order)
        assert world.state(order) == "refused"
        assert world.recover(order) == []
        world.ask(order)
        assert world.state(order) == "confirmed"
        assert len(world.provider.done(key)) == 1


def test_recovery_sends_what_was_intended_and_not_what_is_asked_now(world: World) -> None:
    order = world.order("exact")
    assert world.dies(partial(world.ask, order), "effect.intended")
    [told] = world.recover(order)
    [made] = world.provider.done(world.key(order))
    assert (made["title"], made["body"]) == (order.title, order.body)
    assert told == f"{order.task}: note: {made['url']}"


def test_what_was_done_is_not_asked_for_again(world: World) -> None:
    order = world.order("exact")
    receipt = world.ask(order)
    before = world.kinds(order)
    assert world.ask(order) == receipt
    assert world.recover(order) == []
    assert world.kinds(order) == before == ["effect.intended", "effect.confirmed"]
