from __future__ import annotations

from pathlib import Path

from gitcto_qwen.provider import QwenProvider

from gitcto.testing import AgentContract, Capabilities, PluginContract

SAMPLE = Path(__file__).parent / "samples" / "edit-stream.jsonl"


class TestPlugin(PluginContract):
    plugin = "qwen"


class TestQwenProvider(AgentContract):
    Provider = QwenProvider
    programs = ("qwen", "node")
    sample_file = SAMPLE
    capabilities = Capabilities(runs_offline=False)  # see tests/real
