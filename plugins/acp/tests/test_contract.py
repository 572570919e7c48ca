from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gitcto_acp.provider import AcpProvider

from gitcto.testing import PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping


class TestPlugin(PluginContract):
    plugin = "acp"


class TestAcpProvider(ProviderContract):
    @pytest.fixture
    def provider(self) -> AcpProvider:
        return AcpProvider()

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        script = json.dumps({"turns": [[{"do": "say", "text": "Hello."}]]})
        agent = Path(__file__).with_name("acp_agent.py")
        return {"argv": [sys.executable, str(agent), script.replace("{", "{{").replace("}", "}}")]}
