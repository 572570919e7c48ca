from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from gitcto_review.gate import ReviewGate

from gitcto.testing import GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.api import GateContext

PROGRAM = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"


def reviewed(tmp_path: Path, verdict: str) -> GateContext:
    """Return a change whose reviewer copies an answer that was written before."""
    answer = {"version": 1, "change": "c1", "verdict": verdict, "summary": "So.", "findings": []}
    (tmp_path / verdict).write_text(json.dumps(answer))
    checkout, scratch = tmp_path / "checkout", tmp_path / "scratch"
    checkout.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    argv = [sys.executable, "-c", PROGRAM, str(tmp_path / verdict), "{answer}"]
    return gate_context(change="c1", checkout=checkout, scratch=scratch, settings={"argv": argv})


class TestPlugin(PluginContract):
    plugin = "review"


class TestReviewGate(GateContract):
    @pytest.fixture
    def gate(self) -> ReviewGate:
        return ReviewGate()

    @pytest.fixture
    def passing(self, tmp_path: Path) -> GateContext:
        return reviewed(tmp_path, "approve")

    @pytest.fixture
    def failing(self, tmp_path: Path) -> GateContext:
        return reviewed(tmp_path, "reject")
