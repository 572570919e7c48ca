"""A gated engine: registered, and refused unless policy and a person of this run both want it."""

from __future__ import annotations

import pytest

from tests.cli.provider.conftest import SAID, Shop

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize(
    ("allowed", "engines", "says"),
    [
        ("", (), "policy does not allow it"),
        ("", ("--engine", "case"), "policy does not allow it"),
        ('"case"', (), "nobody asked for it by name"),
        ('"case"', ("--engine", "fake"), "nobody asked for it by name"),
    ],
)
def test_one_key_alone_does_not_turn(
    shop: Shop, allowed: str, engines: tuple[str, ...], says: str
) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.adopt(allowed=allowed)
    shop.task("A")
    done = shop.cto("run", *engines, expect=1)
    assert says in done.out
    assert shop.state("A")["executions"] == []
    [decision] = shop.why("A")
    assert decision["verdict"] == "deny"
    assert "gated engine" in decision["inputs"]["denied.case"]


def test_both_do_and_both_are_facts_of_the_decision(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.task("A")
    shop.cto("run", "--engine", "case")
    assert shop.state("A")["state"] == "done"


def test_at_stage_gated_it_works_in_fixtures_only(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.adopt(kind="owned")
    shop.task("A")
    done = shop.cto("run", "--engine", "case", expect=1)
    assert "at stage gated it may not work in a repository of class owned" in done.out


def test_another_provider_of_the_role_does_it_meanwhile(shop: Shop) -> None:
    shop.adopt(kind="owned", role='providers = ["case", "fake"]')
    shop.task("A")
    shop.cto("run")
    assert shop.git("show", "cto/main/integration:A.txt") == "made by the fake"


def test_a_role_without_a_provider_is_done_by_nobody_who_has_not_earned_it(shop: Shop) -> None:
    shop.adopt(role="")
    shop.task("A")
    done = shop.cto("run", expect=1)
    assert "none has earned to be the default" in done.out


def test_an_engine_that_nobody_provides_is_said_at_once(shop: Shop) -> None:
    assert (
        "no plugin provides the engine 'cese'"
        in shop.cto("run", "--engine", "cese", expect=2).error
    )
