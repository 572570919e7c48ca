from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_commit_format.gate import CommitFormatGate

from gitcto.testing import Capabilities, GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from gitcto.api import GateContext

GOOD = """\
T-1: Say hello

Cto-Task: T-1
Cto-Execution: 01hzzzzzzzzzzzzzzzzzzzzzzz
"""


class TestPlugin(PluginContract):
    plugin = "commit-format"


class TestCommitFormatGate(GateContract):
    capabilities = Capabilities(runs_commands=False)

    @pytest.fixture
    def gate(self) -> CommitFormatGate:
        return CommitFormatGate()

    @pytest.fixture
    def passing(self) -> GateContext:
        return gate_context(message=GOOD)

    @pytest.fixture
    def failing(self) -> GateContext:
        return gate_context(message="T-1: Say hello\n")
