"""Claude Code itself, where it is installed, in a real room, against a scripted model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.testing.agent_rig import SCENARIOS, NotHere, Scenario, play
from tests.real.scripts.claude import CLI

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    try:
        row = play(CLI, scenario, tmp_path)
    except NotHere as absent:
        pytest.skip(str(absent))
    assert row.problems == ()
