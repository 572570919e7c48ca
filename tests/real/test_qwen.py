"""qwen itself, in a real room, against a scripted model.

It repeats a request that failed for 75 seconds: one such failure is played here, the other one when
`make providers` writes the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.testing.agent_rig import SCENARIOS, NotHere, Scenario, play
from tests.real.keyless import KEYLESS
from tests.real.scripts.qwen import CLI

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


PLAYED = [scenario for scenario in SCENARIOS if scenario.name != "500"]


@pytest.mark.parametrize("scenario", [*PLAYED, KEYLESS], ids=lambda each: each.name)
def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    try:
        row = play(CLI, scenario, tmp_path)
    except NotHere as absent:
        pytest.skip(str(absent))
    assert row.problems == ()
