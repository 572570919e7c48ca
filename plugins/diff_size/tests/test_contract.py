from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_diff_size.gate import DiffSizeGate

from gitcto.testing import Capabilities, GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from gitcto.api import GateContext

PATCH = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n+b\n+c\n"


class TestPlugin(PluginContract):
    plugin = "diff-size"


class TestDiffSizeGate(GateContract):
    capabilities = Capabilities(runs_commands=False)

    @pytest.fixture
    def gate(self) -> DiffSizeGate:
        return DiffSizeGate()

    @pytest.fixture
    def passing(self) -> GateContext:
        return gate_context(patch=lambda: PATCH, settings={"max_lines": 3})

    @pytest.fixture
    def failing(self) -> GateContext:
        return gate_context(patch=lambda: PATCH, settings={"max_lines": 2})
