from __future__ import annotations

import sys
from pathlib import Path

from gitcto_pi.provider import PiProvider

from gitcto.testing import AgentContract, PluginContract

SAMPLE = Path(__file__).parent / "samples" / "edit.jsonl"
FAKE = Path(__file__).parent / "fake_pi.py"


class TestPlugin(PluginContract):
    plugin = "pi"


class TestPiProvider(AgentContract):
    Provider = PiProvider
    programs = ("pi",)
    model = "vendor/name"
    sample_file = SAMPLE
    text = f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n'
