from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_license_header.gate import LicenseHeaderGate

from gitcto.api import Change
from gitcto.testing import Capabilities, GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.api import GateContext


def context_of(checkout: Path, path: str) -> GateContext:
    (checkout / "good.py").write_text("# SPDX-License-Identifier: MIT\n")
    (checkout / "bad.py").write_text("x = 1\n")
    settings = {"files": ["*.py"], "header": "SPDX-License-Identifier: MIT"}
    change = Change(status="M", path=path, mode="100644")
    return gate_context(checkout=checkout, changes=(change,), settings=settings)


class TestPlugin(PluginContract):
    plugin = "license-header"


class TestLicenseHeaderGate(GateContract):
    capabilities = Capabilities(runs_commands=False)

    @pytest.fixture
    def gate(self) -> LicenseHeaderGate:
        return LicenseHeaderGate()

    @pytest.fixture
    def passing(self, tmp_path: Path) -> GateContext:
        return context_of(tmp_path, "good.py")

    @pytest.fixture
    def failing(self, tmp_path: Path) -> GateContext:
        return context_of(tmp_path, "bad.py")
