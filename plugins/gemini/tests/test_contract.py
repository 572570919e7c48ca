from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gitcto_gemini.provider import GeminiProvider

from gitcto.testing import Capabilities, PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLES = Path(__file__).parent / "samples"


class TestPlugin(PluginContract):
    plugin = "gemini"


class TestGeminiProvider(ProviderContract):
    capabilities = Capabilities(runs_offline=False)  # see tests/real

    @pytest.fixture
    def provider(self) -> GeminiProvider:
        return GeminiProvider()

    @pytest.fixture
    def sample(self) -> bytes:
        return (SAMPLES / "edit-stream.jsonl").read_bytes()

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Mapping[str, object]:
        for name in ("gemini", "node"):
            (tmp_path / name).write_text("#!/bin/sh\n")
            (tmp_path / name).chmod(0o755)
        return {
            "program": str(tmp_path / "gemini"),
            "node": str(tmp_path / "node"),
            "key_env": "",
        }
