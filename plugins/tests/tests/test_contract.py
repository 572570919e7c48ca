from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from gitcto_tests.gate import TestsGate

from gitcto.testing import GateContract, PluginContract, gate_context

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.api import GateContext

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
REPORT = "--junitxml={scratch}/report.xml"

GOOD = "def test_good():\n    assert True\n"
BAD = "def test_bad():\n    assert False\n"


def command(tmp_path: Path, code: int) -> GateContext:
    argv = [sys.executable, "-c", f"raise SystemExit({code})"]
    return gate_context(checkout=tmp_path, settings={"argv": argv})


def project(tmp_path: Path, source: str, **settings: object) -> GateContext:
    """Return a context with a real pytest over one file of tests."""
    tree, scratch = tmp_path / "tree", tmp_path / "scratch"
    for place in (tree, scratch):
        place.mkdir(parents=True, exist_ok=True)
    (tree / "test_it.py").write_text(source)
    usual = {
        "argv": [*PYTEST, REPORT],
        "junit": "{scratch}/report.xml",
        "names": "pytest",
        "rerun": [*PYTEST, REPORT, "{tests}"],
    }
    return gate_context(checkout=tree, scratch=scratch, settings={**usual, **settings})


class TestPlugin(PluginContract):
    plugin = "tests"


class TestTestsGate(GateContract):
    @pytest.fixture
    def gate(self) -> TestsGate:
        return TestsGate()

    @pytest.fixture
    def passing(self, tmp_path: Path) -> GateContext:
        return command(tmp_path, 0)

    @pytest.fixture
    def failing(self, tmp_path: Path) -> GateContext:
        return command(tmp_path, 1)


class TestWithAReport(GateContract):
    @pytest.fixture(autouse=True)
    def _no_bytecode(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What pytest leaves in the tree is its own, and not what the gate may not write."""
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    @pytest.fixture
    def gate(self) -> TestsGate:
        return TestsGate()

    @pytest.fixture
    def passing(self, tmp_path: Path) -> GateContext:
        return project(tmp_path / "good", GOOD)

    @pytest.fixture
    def failing(self, tmp_path: Path) -> GateContext:
        return project(tmp_path / "bad", GOOD + BAD)

    @pytest.fixture
    def without_tests(self, tmp_path: Path) -> GateContext:
        return project(tmp_path / "none", GOOD, argv=[*PYTEST, REPORT, "--co", "-k", "good"])
