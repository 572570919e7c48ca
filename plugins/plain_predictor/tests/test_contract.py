from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.plugins import Plugins
from gitcto.queue.predict import PlainPredictor
from gitcto.testing import PluginContract

if TYPE_CHECKING:
    import pytest


class TestPlugin(PluginContract):
    plugin = "plain-predictor"


def test_it_is_what_the_queue_goes_by_without_one(request: pytest.FixtureRequest) -> None:
    del request
    plugins = Plugins.load()
    made = plugins.instantiate(plugins.predictors()["plain"])
    assert type(made) is PlainPredictor
