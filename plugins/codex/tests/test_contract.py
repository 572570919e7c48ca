from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gitcto_codex.provider import CodexProvider

from gitcto.testing import Capabilities, PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping


class TestPlugin(PluginContract):
    plugin = "codex"


class TestCodexProvider(ProviderContract):
    capabilities = Capabilities(runs_offline=False)  # see tests/real

    @pytest.fixture
    def provider(self) -> CodexProvider:
        return CodexProvider()

    @pytest.fixture
    def sample(self) -> bytes:
        return (Path(__file__).parent / "samples" / "edit-exec_command.jsonl").read_bytes()

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Mapping[str, object]:
        program = tmp_path / "codex"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        return {"program": str(program), "key_env": ""}
