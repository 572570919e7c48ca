from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_paths.gate import PathsGate

from gitcto.api import Change
from gitcto.testing import Capabilities, GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from gitcto.api import GateContext


def change(path: str) -> Change:
    return Change(status="M", path=path, mode="100644")


class TestPlugin(PluginContract):
    plugin = "paths"


class TestPathsGate(GateContract):
    capabilities = Capabilities(runs_commands=False)

    @pytest.fixture
    def gate(self) -> PathsGate:
        return PathsGate()

    @pytest.fixture
    def passing(self) -> GateContext:
        return gate_context(changes=(change("src/a.py"),), settings={"protected": ["policy.toml"]})

    @pytest.fixture
    def failing(self) -> GateContext:
        return gate_context(
            changes=(change("policy.toml"),), settings={"protected": ["policy.toml"]}
        )
