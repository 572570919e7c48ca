"""What must be seen of a run besides how it ended: each check returns its problems, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.testing.agent_rig.stage import KEY

if TYPE_CHECKING:
    from gitcto.testing.agent_rig.stage import Played
    from gitcto.testing.model_server import Run

SAID = "I have mended calc.py."
"""What a scripted model says last."""

ONE_REQUEST = 1450
"""Most tokens that one request may be counted as: with its thoughts, and what came from a cache."""


def no_more(played: Played, run: Run) -> list[str]:
    """Ask nothing more."""
    del played, run
    return []


def edited(played: Played, run: Run) -> list[str]:
    """Look at what a whole run has to tell."""
    del run
    report, problems = played.report, []
    if report.message.strip() != SAID:
        problems.append(f"its final message was {report.message[:80]!r}")
    if not report.session:
        problems.append("it named no session")
    if not report.usage.tokens:
        problems.append("it counted no tokens")
    if not any(progress.events for progress in played.polled):
        problems.append("nothing could be seen while it worked")
    return problems


def tool_called(played: Played, run: Run) -> list[str]:
    """Look whether the tool was really called."""
    del played
    return [] if "noted 50%: half" in _heard(run) else ["its model never heard the tool's answer"]


def _heard(run: Run) -> str:
    """Return all that the model was told in its last request, escapes and all."""
    return str(run.log[-1]["body"]) if run.log else ""


def flood_told(played: Played, run: Run) -> list[str]:
    """Look whether a flood was cut, and said so, and cost no last words."""
    del run
    problems = []
    if not played.exit.cut_bytes or not any("were cut" in note for note in played.report.notes):
        problems.append("what was cut was not said")
    if played.report.message.strip() != SAID:
        problems.append("its last words were lost")
    return problems


def climbed(played: Played, run: Run) -> list[str]:
    """Look at the ladder by which it was ended: its protocol comes first, where it has one."""
    del run
    first = "protocol" if played.asked else "SIGINT"
    rungs = [rung.signal for rung in played.exit.ladder]
    timed = [rung.at_s for rung in played.exit.ladder]
    wrong = rungs[:1] != [first] or timed != sorted(timed) or played.exit.survivors
    return [f"its ladder was {rungs} at {timed}"] if wrong else []


def secret_kept(played: Played, run: Run) -> list[str]:
    """Look whether a command had the key, and all else that it should have."""
    del played
    heard = _heard(run)
    problems = ["a command that it ran had the key"] if KEY in heard else []
    return problems if "CTO_TASK=" in heard else [*problems, "its command's environment was lost"]


def went_on(played: Played, run: Run) -> list[str]:
    """Look whether a second run went on where the first ended."""
    problems = []
    if SAID not in _heard(run):
        problems.append("its model was not told what was said before")
    if played.report.usage.tokens > run.requests * ONE_REQUEST:
        problems.append(f"it counted the first run again: {played.report.usage}")
    return problems
