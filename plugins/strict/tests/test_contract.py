"""The conformance kit on ``strict``."""

from __future__ import annotations

import pytest
from gitcto_strict.sandbox import Strict

from gitcto.testing import PluginContract, SandboxContract


class TestPlugin(PluginContract):
    plugin = "strict"


@pytest.mark.usefixtures("bwrap")
class TestStrict(SandboxContract):
    level = "strict"

    @pytest.fixture
    def sandbox(self) -> Strict:
        return Strict()
