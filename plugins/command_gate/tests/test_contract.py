from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from gitcto_command_gate.gate import CommandGate

from gitcto.testing import GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.api import GateContext


def command(tmp_path: Path, code: int) -> GateContext:
    argv = [sys.executable, "-c", f"raise SystemExit({code})"]
    return gate_context(checkout=tmp_path, settings={"argv": argv})


class TestPlugin(PluginContract):
    plugin = "command-gate"


class TestCommandGate(GateContract):
    @pytest.fixture
    def gate(self) -> CommandGate:
        return CommandGate()

    @pytest.fixture
    def passing(self, tmp_path: Path) -> GateContext:
        return command(tmp_path, 0)

    @pytest.fixture
    def failing(self, tmp_path: Path) -> GateContext:
        return command(tmp_path, 1)
