"""Real agent CLIs put to the test: each scenario through a real room, sandbox and supervisor.

A provider's tests say how its CLI calls its tools (:class:`AgentCli`); the rest is the same for
all. :data:`SCENARIOS` are what every provider has to get through, and :func:`play` plays one::

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
    def test_scenario(scenario, tmp_path):
        row = play(CLI, scenario, tmp_path)
        assert row.problems == ()
"""

from __future__ import annotations

from gitcto.testing.agent_rig.agent_cli import AgentCli, Different, NotHere
from gitcto.testing.agent_rig.play import Row, play
from gitcto.testing.agent_rig.scenarios import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "AgentCli", "Different", "NotHere", "Row", "Scenario", "play"]
