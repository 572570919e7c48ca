"""What made-up reviewers say of made-up changes: mostly that they are good."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.testing.simulation.bench import change_of

if TYPE_CHECKING:
    from gitcto.runtime.core.seats import Turn
    from gitcto.testing.simulation.faults import Faults
    from gitcto.testing.simulation.history import History


def judgement(turn: Turn, history: History, faults: Faults) -> str:
    """Return the last words of a step that reads: an answer, or something that is none."""
    if turn.step.asks == "work":
        return "do it in two files"
    if faults.strikes("no_verdict"):
        return "it looks good to me"
    seat = faults.rng.choice(sorted(turn.step.reads))
    rejects = faults.strikes("rejects")
    base, commit = turn.execution.base, turn.step.reads[seat]
    answer = {
        "version": 1,
        "change": change_of(history, commit, history.changes(base, commit)),
        "verdict": "reject" if rejects else "approve",
        "summary": "something is missing" if rejects else "it does what was asked for",
        "findings": [],
    }
    if turn.step.asks == "choice":
        answer["chosen"] = "" if rejects else seat
    return json.dumps(answer)
