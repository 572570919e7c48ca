"""Provider pi keeps the contract of providers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gitcto_pi.provider import PiProvider

from gitcto.testing import PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLE = Path(__file__).parent / "samples" / "edit.jsonl"
FAKE = Path(__file__).parent / "fake_pi.py"


class TestPlugin(PluginContract):
    plugin = "pi"


class TestPi(ProviderContract):
    @pytest.fixture
    def provider(self) -> PiProvider:
        return PiProvider()

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Mapping[str, object]:
        program = tmp_path / "pi"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "$@"\n')
        program.chmod(0o755)
        return {"program": str(program), "model": "vendor/name"}

    @pytest.fixture
    def sample(self) -> bytes:
        return SAMPLE.read_bytes()
