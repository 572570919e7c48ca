"""The conformance kit on ``landlock``."""

from __future__ import annotations

import pytest
from gitcto_landlock.sandbox import Landlock

from gitcto.testing import Capabilities, PluginContract, SandboxContract


class TestPlugin(PluginContract):
    plugin = "landlock"


class TestLandlock(SandboxContract):
    level = "landlock"
    capabilities = Capabilities(fixes=False)

    @pytest.fixture
    def sandbox(self) -> Landlock:
        found = Landlock()
        answer = found.available({})
        if not answer.available:
            pytest.skip(answer.hint)
        return found
