"""The shipped strategies: each is read without a complaint, and says what its descriptor says."""

from __future__ import annotations

import pytest
from gitcto_strategies.hooks import SHIPPED

from gitcto.plugins import Plugins
from gitcto.policy.strategies import parse_strategy
from gitcto.testing import PluginContract

WANTED = {
    "codex_writes_gemini_reviews",
    "gemini_writes_codex_reviews",
    "parallel_dual_write_review",
    "parallel_then_adjudicate",
    "plan_then_write",
    "security_redteam_pass",
    "single_worker",
    "writer_reviewer_handoff",
}


class TestPlugin(PluginContract):
    plugin = "strategies"


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return Plugins.load()


def test_all_that_are_promised_are_there(plugins: Plugins) -> None:
    assert set(SHIPPED) == WANTED == set(plugins.strategies())


@pytest.mark.parametrize("name", sorted(WANTED))
def test_a_file_says_what_its_descriptor_says(plugins: Plugins, name: str) -> None:
    strategy = parse_strategy(plugins.instantiate(plugins.strategies()[name]), name, name)
    assert (strategy.name, strategy.summary) == (name, SHIPPED[name])
