"""Runs killed in the middle of a gate: the next one finds and removes what they left."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitcto.runtime.worker import run_files
from gitcto.runtime.worker.processes import start_of

TEAM = Path(__file__).parents[1] / "team"
DIE = [sys.executable, str(TEAM / "run_and_die.py")]


@pytest.fixture
def team(tmp_path: Path) -> Any:
    made = runpy.run_path(str(TEAM / "conftest.py"))["TeamRepo"].make(tmp_path)
    blob = made.git("hash-object", "-w", "--stdin", stdin="text\n")
    lines = [f"100644 {blob}\tmany/{number}\n" for number in range(1100)]
    made.git("update-index", "--index-info", stdin="".join(lines))
    made.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "many")
    return made


def places(team: Any) -> list[Path]:
    return sorted((team.rooms / ".gates/main").glob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("point", ["gate.place", "gate.files", "gate.aside"])
def test_what_a_killed_run_left_of_its_gates_is_removed(team: Any, point: str) -> None:
    team.save_policy()
    team.plan(team.task("A", [{"do": "write", "path": "a", "text": "1\n"}]))
    argv = [*DIE, str(team.root), point, "1"]
    done = subprocess.run(argv, env=team.environ, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    assert len(places(team)) >= 1
    team.run()
    assert team.landed() == ["A"]
    assert places(team) == []
    team.assert_clean()


@pytest.mark.slow
def test_every_command_of_a_killed_set_is_over_and_its_places_are_gone(team: Any) -> None:
    """Three gates hang at once; the run and two of their supervisors are killed."""
    names = [f"ready{number}" for number in range(3)]
    gates = []
    for name in names:
        os.mkfifo(team.root / name)
        once = team.root / f"{name}.once"
        hang = f"echo up > '{team.root}/{name}'; exec sleep 600"
        script = f"test -e '{once}' && exit 0; touch '{once}'; {hang}"
        argv = json.dumps(["sh", "-c", script])
        gates.append(f'[gates.{name}]\nplugin = "tests"\nargv = {argv}\n')
    tier = f"[tiers.P1]\ngates = {json.dumps(names)}\n"
    team.policy_text = team.policy_text.partition("[gates.")[0] + "".join(gates) + tier
    team.save_policy()
    team.plan(team.task("A", [{"do": "write", "path": "a", "text": "1\n"}]))
    with subprocess.Popen([*DIE, str(team.root), "never", "1"], env=team.environ) as run:
        for name in names:
            assert (team.root / name).read_text() == "up\n"
        found = sorted(team.rooms.glob(".gates/main/*/command.*/run"))
        assert len(found) == 3
        records = [run_files.read_record(str(each), run_files.STARTED) for each in found]
        run.send_signal(signal.SIGSTOP)
        for record in records[:2]:
            os.kill(record["supervisor_pid"], signal.SIGKILL)
        run.kill()
    team.run()
    assert team.landed() == ["A"]
    assert places(team) == []
    for record in records:
        assert start_of(record["pid"]) != record["process_start"]
