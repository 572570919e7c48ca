"""Three agents that speak the Agent Client Protocol, in a real room, against a scripted model.

What the driver does is shown with an agent of our own in plugins/acp/tests; here it is whether real
ones do what the protocol says. Each plays what is its own business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gitcto_acp.provider import AcpProvider

from gitcto.api import Letter, SendRequest
from gitcto.runtime.worker import workers
from gitcto.testing.agent_rig import SCENARIOS, AgentCli, NotHere, Scenario, play
from gitcto.testing.agent_rig.pieces import PATIENCE_S, await_file
from tests.real.scripts.acp import CLI, CODEX, OPENCODE

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.testing.agent_rig.stage import Played, Stage
    from gitcto.testing.model_server import Run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AGENTS = {"gemini": CLI, "codex-acp": CODEX, "opencode": OPENCODE}
PLAYED = {
    "gemini": ("edit", "read", "500", "cancel", "letter"),
    "codex-acp": ("tool", "401", "deaf", "daemon", "resume", "cancel", "letter"),
    "opencode": ("read", "cancel"),
}


def _waits(stage: Stage) -> list[Any]:
    return [stage.cli.shell("echo now > now; sleep 600"), {"text": "I was not stopped."}]


def _stopped(stage: Stage, run_dir: Path) -> None:
    await_file(stage.room / "now", run_dir)
    workers.request_stop(run_dir)


def _in_its_own_words(played: Played, run: Run) -> list[str]:
    del run
    rungs = [rung.signal for rung in played.exit.ladder]
    return [] if rungs == ["protocol"] else [f"it was not cancelled: {rungs}"]


def _patient(cli: AgentCli) -> workers.Limits:
    del cli
    most = PATIENCE_S
    return workers.Limits(wall_s=most, idle_s=None, output_bytes=16 << 20, grace_s=most)


def _pauses(stage: Stage) -> list[Any]:
    pause = "echo now > now; until test -e then; do sleep 0.1; done"
    return [stage.cli.shell(pause), {"text": "First."}, {"text": "Second."}]


def _written_to(stage: Stage, run_dir: Path) -> None:
    await_file(stage.room / "now", run_dir)
    letter = Letter(number=7, sender="person:ada", subject="use the second version")
    request = SendRequest(letter=letter, execution="01e", scratch=stage.scratch, settings={})
    assert AcpProvider().send(request).status == "taken"
    (stage.room / "then").touch()


def _read_it(played: Played, run: Run) -> list[str]:
    said, heard = played.report.message, str(run.log[-1]["body"])
    problems = [] if said.endswith("Second.") else [f"it said {said!r}"]
    return problems + ([] if "use the second version" in heard else ["its model never heard"])


CANCEL = Scenario(
    name="cancel",
    verified="interrupted in its own protocol, before any signal",
    steps=_waits,
    faults=frozenset({"killed"}),
    limits=_patient,
    meanwhile=_stopped,
    check=_in_its_own_words,
    words=("now",),
)
LETTER = Scenario(
    name="letter",
    verified="a letter is its next prompt, in the same session",
    steps=_pauses,
    meanwhile=_written_to,
    check=_read_it,
    words=("now", "then"),
)


def cases() -> list[Any]:
    return [
        pytest.param(AGENTS[name], scenario, id=f"{name}-{scenario.name}")
        for name, names in PLAYED.items()
        for scenario in (*SCENARIOS, CANCEL, LETTER)
        if scenario.name in names
    ]


@pytest.mark.parametrize(("cli", "scenario"), cases())
def test_scenario(cli: AgentCli, scenario: Scenario, tmp_path: Path) -> None:
    try:
        row = play(cli, scenario, tmp_path)
    except NotHere as absent:
        pytest.skip(str(absent))
    assert row.problems == ()
