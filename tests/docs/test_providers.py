"""The page about providers says what was measured, with the versions that are installed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gitcto.plugins import Plugins
from gitcto.testing.agent_rig.page import page, rows_of

ROOT = Path(__file__).resolve().parents[2]
FIGURES = sorted((ROOT / "reliability/figures/providers").glob("*.json"))
PAGE = (ROOT / "docs/reference/providers.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_figures_say() -> None:
    known = Plugins.load().providers()
    kept = {path.stem: rows_of(json.loads(path.read_text("utf-8"))) for path in FIGURES}
    assert kept
    assert page({name: known[name].descriptor for name in kept}, kept) == PAGE


def test_everything_on_it_holds() -> None:
    assert "does not hold" not in PAGE


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_it_names_the_versions_that_are_pinned(path: Path) -> None:
    manifest = ROOT / "agents" / path.stem / "package.json"
    if not manifest.exists():
        pytest.skip(f"{path.stem} is not pinned")
    pinned = json.loads(manifest.read_text(encoding="utf-8"))["dependencies"].values()
    versions = {row["version"] for row in json.loads(path.read_text("utf-8"))}
    assert len(versions) == 1
    assert any(
        re.fullmatch(re.escape(version) + "(-.*)?", each) for version in versions for each in pinned
    )
