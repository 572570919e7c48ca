"""Kill the orchestrator at each of its durable steps: the next run finishes, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

POINTS = (
    "ledger.object",
    "ledger.ref",
    "ledger.sidecar",
    "attempt.leased",
    "attempt.pinned",
    "room.files",
    "attempt.room",
    "attempt.harvested",
    "attempt.kept",
    "work.preserved",
    "landing.intended",
    "landing.moved",
    "room.aside",
    "room.removed",
)


def write(path: str, text: str) -> dict[str, object]:
    return {"do": "write", "path": path, "text": text}


def append(path: str, text: str) -> dict[str, object]:
    return {"do": "append", "path": path, "text": text}


def die_at(team: Any, point: str, passings: int) -> int:
    """Run the team in a process that kills itself; return that process's exit code."""
    program = Path(__file__).with_name("run_and_die.py")
    argv = [sys.executable, str(program), str(team.root), point, str(passings)]
    return subprocess.run(argv, env=team.environ, capture_output=True, check=False).returncode


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("passings", [1, 3])
def test_a_run_killed_at_a_durable_step_is_finished_by_the_next(
    team: Any, point: str, passings: int
) -> None:
    team.policy_text = team.policy_text.replace(
        '["test", "-f", "base.txt"]', '["test", "!", "-e", "bad"]'
    )
    team.policy_text = team.policy_text.replace("max_attempts = 2", "max_attempts = 3")
    team.save_policy()
    bad = [write("bad", "kept\n")]
    team.plan(
        team.task("A", [append("base.txt", "A\n")]),
        team.task("B", [append("base.txt", "B\n")]),
        team.task("C", bad, bad, [write("c", "1\n")], depends_on=("A",)),
    )
    code = die_at(team, point, passings)
    team.run()
    assert sorted(team.landed()) == ["A", "B", "C"]
    assert sorted(team.show("base.txt").splitlines()) == ["A", "B", "base"]
    assert {task.state.value for task in team.tasks().values()} == {"done"}
    kept = [ref for ref in team.preserved() if "bad" in team.git("ls-tree", "--name-only", ref)]
    assert {team.show("bad", ref) for ref in kept} == {"kept"}
    team.assert_clean()
    with team.ledger() as ledger:
        assert ledger.verify_chain() == []
    if code == 0:
        pytest.fail(f"{point} was not passed {passings} times")


@pytest.mark.parametrize("workspace", ["clone", "worktree"])
def test_no_room_is_left_with_half_of_its_repository(team: Any, workspace: str) -> None:
    """What is left of ``.git`` would look like the worker's work, and the room would stay."""
    team.policy_text = team.policy_text.replace('plugin = "clone"', f'plugin = "{workspace}"')
    team.save_policy()
    team.plan(team.task("A", [append("base.txt", "A\n")]))
    assert die_at(team, "room.removed", 1) == -9
    assert len(list(team.rooms.glob("main/*"))) == 1
    assert list(team.rooms.glob("main/*/room")) == []
    team.run()
    team.assert_clean()
