from __future__ import annotations

from pathlib import Path

from gitcto_claude.provider import ClaudeProvider

from gitcto.testing import AgentContract, Capabilities, PluginContract

SAMPLE = Path(__file__).parent / "samples" / "edit-stream.jsonl"


class TestPlugin(PluginContract):
    plugin = "claude"


class TestClaudeProvider(AgentContract):
    Provider = ClaudeProvider
    programs = ("claude",)
    model = "claude-sonnet-4-5"
    sample_file = SAMPLE
    capabilities = Capabilities(runs_offline=False)  # see tests/real
