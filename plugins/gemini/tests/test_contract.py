from __future__ import annotations

from pathlib import Path

from gitcto_gemini.provider import GeminiProvider

from gitcto.testing import AgentContract, Capabilities, PluginContract

SAMPLE = Path(__file__).parent / "samples" / "edit-stream.jsonl"


class TestPlugin(PluginContract):
    plugin = "gemini"


class TestGeminiProvider(AgentContract):
    Provider = GeminiProvider
    programs = ("gemini", "node")
    sample_file = SAMPLE
    capabilities = Capabilities(runs_offline=False)  # see tests/real
