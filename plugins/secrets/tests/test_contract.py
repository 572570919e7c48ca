from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from gitcto_secrets.gate import SecretsGate

from gitcto.testing import Capabilities, GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.api import GateContext

KEY = "AKIA" + "2345ABCD" * 2
HEAD = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+"


def patch_of(line: str) -> bytes:
    return f"{HEAD}{line}\n".encode()


class TestPlugin(PluginContract):
    plugin = "secrets"


class TestOwnFormats(GateContract):
    capabilities = Capabilities(runs_commands=False)

    @pytest.fixture
    def gate(self) -> SecretsGate:
        return SecretsGate()

    @pytest.fixture
    def passing(self) -> GateContext:
        return gate_context(patch=lambda: patch_of("b"))

    @pytest.fixture
    def failing(self) -> GateContext:
        return gate_context(patch=lambda: patch_of(f"key = {KEY}"))


class TestScanner(GateContract):
    @pytest.fixture
    def gate(self) -> SecretsGate:
        return SecretsGate()

    @pytest.fixture
    def passing(self, tmp_path: Path) -> GateContext:
        return scanned(tmp_path, 0)

    @pytest.fixture
    def failing(self, tmp_path: Path) -> GateContext:
        return scanned(tmp_path, 9)


def scanned(scratch: Path, code: int) -> GateContext:
    argv = [sys.executable, "-c", f"raise SystemExit({code})", "{patch}"]
    settings = {"argv": argv, "found_codes": [9]}
    return gate_context(patch=lambda: patch_of("b"), scratch=scratch, settings=settings)
