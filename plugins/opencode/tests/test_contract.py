from __future__ import annotations

from pathlib import Path

from gitcto_opencode.provider import OpencodeProvider

from gitcto.testing import AgentContract, PluginContract

SAMPLE = Path(__file__).parent / "samples" / "edit.jsonl"


class TestPlugin(PluginContract):
    plugin = "opencode"


class TestOpencodeProvider(AgentContract):
    Provider = OpencodeProvider
    programs = ("opencode",)
    model = "vendor/name"
    sample_file = SAMPLE
    text = f'#!/bin/sh\nexec cat "{SAMPLE}"\n'
