from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gitcto_fake.provider import FakeProvider

from gitcto.testing import PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping


class TestPlugin(PluginContract):
    plugin = "fake"


class TestFakeProvider(ProviderContract):
    @pytest.fixture
    def provider(self) -> FakeProvider:
        return FakeProvider()

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        spent = {"do": "use", "input_tokens": 3, "output_tokens": 2, "cost_micros": 1}
        return {"script": [[{"do": "write", "path": "a.txt", "text": "a"}, spent]]}
