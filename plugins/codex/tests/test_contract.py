from __future__ import annotations

from pathlib import Path

from gitcto_codex.provider import CodexProvider

from gitcto.testing import AgentContract, Capabilities, PluginContract

SAMPLE = Path(__file__).parent / "samples" / "edit-exec_command.jsonl"


class TestPlugin(PluginContract):
    plugin = "codex"


class TestCodexProvider(AgentContract):
    Provider = CodexProvider
    programs = ("codex",)
    sample_file = SAMPLE
    capabilities = Capabilities(runs_offline=False)  # see tests/real
