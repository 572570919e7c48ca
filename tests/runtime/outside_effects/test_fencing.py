"""Who may send: one clone, under the task's own token, with credentials that no worker has."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest

from gitcto.errors import CtoError, ExitCode
from gitcto.runtime.delivery.outside_effects import HOLD_MS, carry_out, settle_open
from tests.runtime.outside_effects.conftest import Staged, World


def test_who_was_fenced_after_the_intent_does_not_send(world: World) -> None:
    order = world.order("exact")
    world.effects = Staged(at={"effect.intended": partial(world.lease, order)})
    with pytest.raises(CtoError, match="no longer this run's"):
        world.ask(order)
    assert world.provider.received(world.key(order)) == 0
    assert world.state(order) == "intended"
    world.effects = Staged()
    [told] = world.recover(order)  # nothing is found, and nobody may send it any more
    assert "fencing token 1, this was decided under 0" in told
    assert world.state(order) == "refused"
    assert world.provider.received(world.key(order)) == 0


def test_an_older_token_intends_nothing(world: World) -> None:
    order = world.order("exact")
    world.lease(order)
    with pytest.raises(CtoError, match="fencing token"):
        world.ask(order)
    assert world.kinds(order) == []
    newer = replace(order, epoch=1)
    assert world.key(newer) == world.key(order)
    world.ask(newer)
    assert world.state(order) == "confirmed"


def test_what_was_sent_under_an_older_token_is_still_found(world: World) -> None:
    """The truth at the provider counts, and another attempt does not do it again."""
    order = world.order("exact")
    assert world.dies(partial(world.ask, order), "effect.sent")
    world.lease(order)
    world.recover(order)
    assert world.state(order) == "confirmed"
    world.ask(replace(order, epoch=1))
    assert world.provider.received(world.key(order)) == 1


def test_another_clone_is_left_alone_until_it_certainly_sends_no_more(world: World) -> None:
    order = world.order("exact")
    assert world.dies(partial(world.ask, order), "effect.intended")
    with world.context(clone="other") as context, pytest.raises(CtoError, match="another clone"):
        carry_out(context, order)
    assert world.provider.received(world.key(order)) == 0
    world.effects = Staged(later_ms=HOLD_MS + 60_000)
    with world.context(clone="other") as context:
        carry_out(context, order)
    held = world.held(order)
    assert held is not None
    assert held.sender == "other"
    world.effects = Staged()
    world.ask(order)
    assert world.provider.received(world.key(order)) == 1


def test_who_took_too_long_does_not_send(world: World) -> None:
    order = world.order("exact")
    staged = Staged()
    staged.at["effect.intended"] = lambda: setattr(staged, "later_ms", HOLD_MS)
    world.effects = staged
    with pytest.raises(CtoError, match="no longer this run's"):
        world.ask(order)
    assert world.provider.received(world.key(order)) == 0


@pytest.mark.parametrize("point", ["", "effect.sent"])
def test_a_look_up_that_lags_is_waited_for_before_anything_is_sent_again(
    world: World, point: str
) -> None:
    order = world.order("late")
    key = world.key(order)
    world.provider.clock(lag=3)
    world.provider.script(key, "reply lost" if not point else "ok")
    if point:
        assert world.dies(partial(world.ask, order), point)
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        world.provider.clock(by=seconds)

    world.effects = Staged(paused=pause)
    world.ask(order)
    assert waited == [3]
    assert len(world.provider.done(key)) == 1
    held = world.held(order)
    assert held is not None
    assert (held.state, held.how) == ("confirmed", "adopted")


def test_without_credentials_it_is_refused_and_said(world: World) -> None:
    order = world.order("exact")
    token = world.repo.environ.pop("FAKE_TOKEN")
    try:
        with pytest.raises(CtoError, match="the provider said 401"):
            world.ask(order)
    finally:
        world.repo.environ["FAKE_TOKEN"] = token
    assert world.state(order) == "refused"
    world.ask(order)


def test_who_does_not_do_it_is_not_asked(world: World) -> None:
    for name, code in (("exact", ExitCode.POLICY), ("nowhere", ExitCode.PLUGIN_MISSING)):
        order = replace(world.order(name), effect="pull-request")
        with pytest.raises(CtoError) as refused:
            world.ask(order)
        assert refused.value.exit_code is code
        assert world.kinds(order) == []


def test_the_key_knows_ledger_task_effect_and_result_and_nothing_else(world: World) -> None:
    order = world.order("exact")
    same = replace(order, epoch=9, integration="none", title="x", body="x", facts={"a": "b"})
    assert world.key(same) == world.key(order)
    others = [
        replace(order, task="T0"),
        replace(order, effect="comment"),
        replace(order, commit="c0ffee0"),
    ]
    assert len({world.key(order), *map(world.key, others)}) == 4


def test_a_lost_order_is_said_and_not_sent(world: World) -> None:
    """The order that recovery would send is the one that was recorded, byte for byte."""
    order = world.order("exact")
    assert world.dies(partial(world.ask, order), "effect.intended")
    with world.repo.ledger() as ledger:
        tree = world.repo.git("rev-parse", f"{ledger.ref}:effects")
    [blob] = world.repo.git("ls-tree", "--format=%(objectname)", tree).splitlines()
    path = world.repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.unlink()
    [told] = world.recover(order)
    assert "cannot be read" in told or "missing" in told or blob[:12] in told, told
    assert world.provider.received(world.key(order)) == 0
    with suppress(CtoError):
        world.ask(order)
    assert world.state(order) == "confirmed"


def test_a_run_that_begins_does_not_wait_for_who_does_not_answer(world: World) -> None:
    order = world.order("exact")
    assert world.dies(partial(world.ask, order), "effect.sent")
    world.provider.silence(on=True)
    try:
        with world.context() as context:
            task = context.ledger.view().task(order.task)
            assert task is not None
            [told] = settle_open(context, [task], ask_s=0.05)
    finally:
        world.provider.silence(on=False)
    assert "did not return within 0.05 s" in told
    assert world.state(order) == "intended"
    world.recover(order)
    assert world.state(order) == "confirmed"
    assert world.provider.received(world.key(order)) == 1
