"""Two runs on one clone: the second refuses and says who runs, and each change lands once."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.runtime.shared.conftest import Clone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]  # several runs of whole teams

SIX = ("A", "B", "C", "D", "E", "F")


def plan(clone: Clone) -> None:
    """Six tasks, whose workers begin and then wait until the test lets them go on."""
    tasks = []
    for name in SIX:
        here = {"do": "write", "path": str(clone.root / f"here-{name}"), "text": ""}
        wait = {"do": "wait_for", "path": str(clone.root / "go")}
        done = {"do": "write", "path": f"{name}.txt", "text": f"{name}\n"}
        tasks.append(clone.task(name, [here, wait, done]))
    clone.plan(*tasks)


def assert_landed_once(clone: Clone) -> None:
    assert sorted(clone.landed()) == list(SIX)
    assert {task.state.value for task in clone.tasks().values()} == {"done"}
    with clone.ledger() as ledger:
        assert ledger.verify_chain() == []
        assert ledger.count("landing.done") == len(SIX)
    clone.assert_clean()


def test_of_two_runs_started_together_one_refuses_and_names_the_other(
    lone: Clone, until: Any
) -> None:
    plan(lone)
    both = [lone.start("run"), lone.start("run")]
    until(lambda: any(process.poll() is not None for process in both))
    [refused] = [process for process in both if process.poll() is not None]
    [running] = [process for process in both if process is not refused]
    (lone.root / "go").touch()
    _, said = refused.communicate(timeout=100)
    assert refused.returncode == 1
    error, hint = said.splitlines()
    assert error.startswith("error: team main is run in this clone already: ")
    assert f", pid {running.pid}, since " in error
    assert "git cto status" in hint
    out, err = running.communicate(timeout=100)
    assert running.returncode == 0, out + err
    assert_landed_once(lone)


def test_a_run_goes_on_where_one_was_killed_in_the_middle(lone: Clone, until: Any) -> None:
    plan(lone)
    killed = lone.start("run")
    until((lone.root / "here-A").exists)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    other = lone.start("run")
    (lone.root / "go").touch()
    out, err = other.communicate(timeout=100)
    assert other.returncode == 0, out + err
    assert_landed_once(lone)
    assert "pid" in (lone.path / ".git/cto/teams/main/run.lock").read_text()
