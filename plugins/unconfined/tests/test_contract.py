"""The conformance kit on ``detect`` and ``none``."""

import pytest
from gitcto_unconfined.sandbox import Unconfined

from gitcto.testing import PluginContract, SandboxContract


class TestPlugin(PluginContract):
    plugin = "unconfined"


class TestDetect(SandboxContract):
    level = "detect"

    @pytest.fixture
    def sandbox(self) -> Unconfined:
        return Unconfined()


class TestNone(SandboxContract):
    level = "none"

    @pytest.fixture
    def sandbox(self) -> Unconfined:
        return Unconfined()
