"""The conformance kit on ``seatbelt``."""

from __future__ import annotations

import pytest
from gitcto_seatbelt.sandbox import Seatbelt

from gitcto.testing import PluginContract, SandboxContract


class TestPlugin(PluginContract):
    plugin = "seatbelt"


class TestSeatbelt(SandboxContract):
    level = "seatbelt"

    @pytest.fixture
    def sandbox(self) -> Seatbelt:
        found = Seatbelt()
        answer = found.available({})
        if not answer.available:
            pytest.skip(answer.hint)
        return found
