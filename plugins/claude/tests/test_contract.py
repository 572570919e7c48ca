from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_claude.provider import ClaudeProvider

from gitcto.testing import Capabilities, PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class TestPlugin(PluginContract):
    plugin = "claude"


class TestClaudeProvider(ProviderContract):
    capabilities = Capabilities(runs_offline=False)  # see tests/real

    @pytest.fixture
    def provider(self) -> ClaudeProvider:
        return ClaudeProvider()

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Mapping[str, object]:
        program = tmp_path / "claude"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        return {"program": str(program), "key_env": "", "model": "claude-sonnet-4-5"}
