"""codex itself, in a real room, against a scripted model."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from gitcto.runtime.worker.workers import Limits
from gitcto.testing.agent_rig import SCENARIOS, NotHere, Scenario, play
from gitcto.testing.agent_rig.stage import Stage
from tests.real.scripts.codex import CLI

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


def test_a_server_that_is_not_there_is_not_asked_for_ever(tmp_path: Path) -> None:
    """Of itself codex would: its feature ``unbounded_connection_retries`` is off."""
    stage = Stage(CLI, tmp_path, edits=True)
    limits = Limits(wall_s=120, idle_s=None, output_bytes=1 << 20)
    try:
        stage.make(lambda repo: None)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        played = stage.play(f"http://127.0.0.1:{port}", limits)
    except NotHere as absent:
        pytest.skip(str(absent))
    assert played.exit.cause == "exited"
    assert (played.report.fault.kind, played.report.fault.retryable) == ("model", True)
