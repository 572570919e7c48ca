"""Provider opencode keeps the contract of providers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gitcto_opencode.provider import OpencodeProvider

from gitcto.testing import PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLE = Path(__file__).parent / "samples" / "edit.jsonl"


class TestPlugin(PluginContract):
    plugin = "opencode"


class TestOpencode(ProviderContract):
    @pytest.fixture
    def provider(self) -> OpencodeProvider:
        return OpencodeProvider()

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Mapping[str, object]:
        program = tmp_path / "opencode"
        program.write_text(f'#!/bin/sh\nexec cat "{SAMPLE}"\n')
        program.chmod(0o755)
        return {"program": str(program), "model": "vendor/name"}

    @pytest.fixture
    def sample(self) -> bytes:
        return SAMPLE.read_bytes()
