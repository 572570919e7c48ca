"""git-cto's own contract, kept by this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_hello.gate import SmallChangeGate
from gitcto_hello.provider import HelloProvider

from gitcto.api import Change
from gitcto.testing import (
    Capabilities,
    GateContract,
    PluginContract,
    ProviderContract,
    gate_context,
)

if TYPE_CHECKING:
    from gitcto.api import GateContext

CHANGE = Change(status="A", path="a", mode="100644")


class TestPlugin(PluginContract):
    plugin = "hello"


class TestHelloProvider(ProviderContract):
    @pytest.fixture
    def provider(self) -> HelloProvider:
        return HelloProvider()


class TestSmallChangeGate(GateContract):
    capabilities = Capabilities(runs_commands=False)

    @pytest.fixture
    def gate(self) -> SmallChangeGate:
        return SmallChangeGate()

    @pytest.fixture
    def passing(self) -> GateContext:
        return gate_context(changes=(CHANGE,), settings={"max_paths": 1})

    @pytest.fixture
    def failing(self) -> GateContext:
        return gate_context(changes=(CHANGE, CHANGE), settings={"max_paths": 1})
