from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from gitcto_command.provider import CommandProvider

from gitcto.testing import PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping


class TestPlugin(PluginContract):
    plugin = "command"


class TestCommandProvider(ProviderContract):
    @pytest.fixture
    def provider(self) -> CommandProvider:
        return CommandProvider()

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        return {"argv": [sys.executable, "-c", "print('done')", "{task.id}"]}
