"""opencode itself, in a real room, against a scripted model.

It is slow to start. What is the sandbox's and the harvest's doing alone is played with the other
CLIs here, and with opencode when `make providers` writes the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.testing.agent_rig import SCENARIOS, NotHere, Scenario, play
from tests.real.scripts.opencode import CLI

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WITH_OTHERS = {"daemon", "lie", "outside"}
PLAYED = [scenario for scenario in SCENARIOS if scenario.name not in WITH_OTHERS]


@pytest.mark.parametrize("scenario", PLAYED, ids=lambda each: each.name)
def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    try:
        row = play(CLI, scenario, tmp_path)
    except NotHere as absent:
        pytest.skip(str(absent))
    assert row.problems == ()
