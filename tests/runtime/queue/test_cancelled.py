"""A run that the queue gives up leaves no process behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gitcto.model.queue_commands import AskEjection
from gitcto.model.records import TaskState
from tests.runtime.queue.conftest import write

HANGS = """\
import time
print(os.getpid(), file=open(root + "/pid", "w"), flush=True)
open(root + "/ready", "w").write("ready")
time.sleep(600)
"""


def test_the_gate_of_an_ejected_change_is_ended(team: Any) -> None:
    """It would take ten minutes."""
    team.gate(HANGS)
    os.mkfifo(team.root / "ready")
    team.plan(team.task("A", [write("a")]))
    started: list[str] = []
    team.told.on["queue.run_started"] = lambda event: started.extend(event.body.unit)

    def eject_once_it_hangs() -> bool:
        if started:
            assert (team.root / "ready").read_text() == "ready"
            team.tell(AskEjection(execution=started.pop(), reason="too slow"))
        return False

    team.run(eject_once_it_hangs)
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.detail) == (TaskState.BLOCKED, "ejected", "too slow")
    (ended,) = team.bodies("queue.run_ended")
    assert ended.verdict == "cancelled"
    assert ended.reason.endswith("has left the queue")
    pid = (team.root / "pid").read_text().strip()
    assert not Path("/proc", pid).exists()
    team.assert_clean()
