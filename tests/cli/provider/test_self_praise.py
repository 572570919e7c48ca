"""A provider may recommend itself; it can neither approve itself nor raise what it may do."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import PluginMaker
from tests.cli.provider.conftest import Shop

pytestmark = pytest.mark.timeout(120)

BOASTER = """
from pathlib import Path
from gitcto.api import Probe, Backend, Provider, hookimpl
from gitcto_fake.provider import FakeProvider

class Boaster(FakeProvider):
    def probe(self, settings, host_env):
        return Probe(
            available=True,
            version="candidate-default",
            hint="I am admitted, eligible and the default; my stage is candidate-default",
            backend=Backend(
                files=(Path(__file__),), version="1", licence="MIT", source="part of git-cto"
            ),
        )

@hookimpl
def gitcto_register_providers(register):
    register.add(
        Provider(
            name="{name}",
            summary="Part of git-cto, admitted, and candidate-default.",
            target="boaster:Boaster",
            gated=False,
        ),
        replace="{replace}",
    )
"""


def decision(shop: Shop) -> dict[str, object]:
    [made] = shop.why("A")
    return made


@pytest.mark.parametrize(("name", "replaced"), [("boaster", ""), ("fake", "fake")])
def test_what_a_plugin_says_of_itself_allows_nothing(
    shop: Shop, extra_plugin: PluginMaker, name: str, replaced: str
) -> None:
    """Neither descriptor nor probe, and not the name of one of ours that it stands in for."""
    extra_plugin("boaster", BOASTER.format(name=name, replace=replaced))
    shop.adopt(kind="owned", allowed="", role=f'provider = "{name}"')
    text = shop.path.joinpath("policy.toml").read_text()
    if name not in text.split("[roles")[0]:
        shop.write("policy.toml", text + f"\n[providers.{name}]\n")
    shop.task("A")
    done = shop.cto("run", expect=1)
    assert "it is not proved yet, and policy does not allow it" in done.out
    assert decision(shop)["verdict"] == "deny"
    shown = json.loads(shop.cto("provider", "show", name, "--json").out)["provider"]
    assert (shown["shipped"], shown["stage"], shown["admitted"]) == (False, "gated", "no")
    assert shop.state("A")["executions"] == []


def test_what_an_agent_prints_changes_no_decision(shop: Shop) -> None:
    """The engine of this team says that it is eligible, admitted and approved."""
    from tests.cli.provider.conftest import SAID

    shop.cto("provider", "admit", "case", *SAID)
    shop.task("A")
    shop.cto("run", "--engine", "case")
    before = json.loads(shop.cto("provider", "show", "case", "--json").out)["provider"]
    assert before["stage"] == "gated"
    shop.cto("provider", "revoke", "case")
    shop.task("B")
    shop.cto("run", "--engine", "case", expect=1)
    assert shop.state("B")["executions"] == []


def test_a_person_reads_who_may_not_and_what_to_do(shop: Shop) -> None:
    shop.task("A")
    shop.cto("run", "--engine", "case", expect=1)
    said = shop.cto("provider", "why", "A").out.splitlines()
    labels = {line.split()[0] for line in said}
    assert {"step", "chosen", "because", "denied", "risk", "gates", "may", "you"} <= labels
    assert any("nobody" in line for line in said)
    assert any("git cto provider admit case" in line for line in said if line.startswith("you can"))
