"""pi itself, in a real room, against a scripted model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_pi.provider import PiProvider

from gitcto.api import Letter, SendRequest
from gitcto.testing.agent_rig import SCENARIOS, NotHere, Scenario, play
from gitcto.testing.agent_rig.pieces import PATIENCE_S, await_file
from tests.real.scripts.pi import CLI, shell

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

WORDS = "use v2 instead"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_scenario(scenario: Scenario, tmp_path: Path) -> None:
    try:
        row = play(CLI, scenario, tmp_path)
    except NotHere as absent:
        pytest.skip(str(absent))
    assert row.problems == ()


def send_a_letter(stage: Any, run_dir: Path) -> None:
    """Send a letter while a command of pi runs, which ends when pi has it."""
    await_file(stage.room / "ready", run_dir)
    letter = Letter(number=7, sender="person:ada", subject=WORDS)
    request = SendRequest(letter=letter, execution="x", scratch=stage.scratch, settings={})
    assert PiProvider().send(request).status == "taken"
    end = time.monotonic() + PATIENCE_S
    while WORDS.encode() not in (run_dir / "stdout.log").read_bytes():
        assert time.monotonic() < end, "pi did not take the letter"
        time.sleep(0.02)
    (stage.room / "go").touch()


def letter_was_read(_played: Any, run: Any) -> list[str]:
    return [] if WORDS in str(run.log[-1]["body"]) else ["its model never saw the letter"]


def test_a_letter_reaches_it_while_it_works(tmp_path: Path) -> None:
    waits = shell("touch ready; while [ ! -e go ]; do sleep 0.1; done")
    scenario = Scenario(
        name="letter",
        verified="a letter reaches it while it works",
        steps=lambda _stage: [waits, {"text": "I use v2."}],
        meanwhile=send_a_letter,
        check=letter_was_read,
        words=("ready", "go"),
    )
    try:
        row = play(CLI, scenario, tmp_path)
    except NotHere as absent:
        pytest.skip(str(absent))
    assert row.problems == ()
    assert [path.name for path in tmp_path.glob("**/scratch/mail/shown/*")] == ["7"]
