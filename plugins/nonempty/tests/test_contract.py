from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_nonempty.gate import NonemptyGate

from gitcto.api import Change
from gitcto.testing import Capabilities, GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from gitcto.api import GateContext


def change(path: str) -> Change:
    return Change(status="M", path=path, mode="100644")


class TestPlugin(PluginContract):
    plugin = "nonempty"


class TestNonemptyGate(GateContract):
    capabilities = Capabilities(runs_commands=False)

    @pytest.fixture
    def gate(self) -> NonemptyGate:
        return NonemptyGate()

    @pytest.fixture
    def passing(self) -> GateContext:
        return gate_context(changes=(change("src/a.py"),))

    @pytest.fixture
    def failing(self) -> GateContext:
        return gate_context()
