"""Predictors of plugins: they are asked, and one that fails stops nothing."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.plugins import Plugins
from gitcto.queue.predict import PlainPredictor
from gitcto.queue.records import Item
from gitcto.runtime.delivery.predicting import LEAST, MOST, Contained

ONE = Item(id="a", seq=1, enqueued_ms=0, paths=frozenset({"x"}), lines=10)
TWO = Item(id="b", seq=2, enqueued_ms=0, paths=frozenset({"x"}), lines=10)

HALF = "    def conflict(self, a, b): return 0.5\n"

PLUGIN = """
from gitcto.api import Predictor, hookimpl

@hookimpl
def gitcto_register_predictors(register):
    register.add(Predictor(name="mine", summary="Mine.", target="mine_work:Mine"))
"""


def made(site: Any, body: str) -> tuple[Contained, list[str]]:
    site.add("cto-mine", mine=PLUGIN)
    site.module("mine_work", f"class Mine:\n{body}")
    plugins: Plugins = site.load()
    registered = plugins.predictors()["mine"]
    notes: list[str] = []
    return Contained(registered, plugins.instantiate(registered), notes.append), notes


def test_a_plugin_is_asked_once_for_each_change_and_pair(site: Any) -> None:
    body = """
    asked = []
    def good(self, item):
        self.asked.append(item.id)
        return 0.25 + len(self.asked)
    def conflict(self, earlier, later):
        return -1.0
"""
    mine, notes = made(site, body)
    assert [mine.good(ONE), mine.good(ONE)] == [MOST, MOST]
    assert mine.conflict(ONE, TWO) == LEAST
    assert notes == []


@pytest.mark.parametrize(
    "body",
    [
        f"    def good(self, item): raise ValueError('no')\n{HALF}",
        f"    def good(self, item): return 'high'\n{HALF}",
        HALF,
    ],
)
def test_a_plugin_that_fails_is_replaced_by_the_plain_one(site: Any, body: str) -> None:
    mine, notes = made(site, body)
    assert mine.good(ONE) == PlainPredictor().good(ONE)
    assert mine.conflict(ONE, TWO) == PlainPredictor().conflict(ONE, TWO)
    (note,) = notes
    assert "the plain predictor guesses instead" in note


def test_a_guess_that_is_no_number_counts_for_nothing(site: Any) -> None:
    body = (
        "    def good(self, item): return float('nan')\n    def conflict(self, a, b): return 0.5\n"
    )
    mine, notes = made(site, body)
    assert mine.good(ONE) == PlainPredictor().good(ONE)
    assert notes == []
