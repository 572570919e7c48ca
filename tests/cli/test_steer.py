from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitcto.effects import SystemEffects
from gitcto.git.repository import discover
from gitcto.model.commands import CreateTeam
from gitcto.model.records import TaskSpec
from gitcto.store.ledger import Ledger
from tests.cli.conftest import MAIN

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


@pytest.mark.parametrize(
    ("command", "mode", "on"),
    [
        ("pause", "paused", "resume"),
        ("drain", "draining", "resume"),
        ("stop", "stopped", "run"),
    ],
)
def test_a_mode_is_recorded_and_the_way_back_is_said(
    crew: Crew, command: str, mode: str, on: str
) -> None:
    done = crew.cto(command)
    assert done.out == f"Team main is {mode}\n"
    assert f"`git cto {on}`" in done.err
    assert crew.cto(command).out == f"Team main was {mode} already\n"
    assert crew.cto("resume").out == "Team main is running\n"


def test_retry_queues_a_failed_task_again(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    crew.fail("A")
    assert crew.cto("retry", "A").out == "A is queued again\n"
    assert "A     ready" in crew.cto("status").out


def test_retry_of_a_task_that_did_not_end_is_refused(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    assert crew.cto("retry", "A", expect=1).error == "A is queued, not failed or blocked"


def leave_a_worker(crew: Crew, text: str = "") -> None:
    """Interrupt a run whose worker writes b.py and hangs, so that the worker goes on."""
    script = json.dumps([[{"do": "write", "path": "b.py", "text": text}, {"do": "hang"}]])
    crew.plan(TaskSpec(id="A", title="a", inputs={"script": script}))
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "run"],
        cwd=crew.path,
        env=crew.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        next(line for line in running.stdout if "started as process" in line)
        running.send_signal(signal.SIGINT)
        running.communicate()


def test_stop_ends_workers_that_an_interrupted_run_left(crew: Crew) -> None:
    leave_a_worker(crew)
    assert "A     executing" in crew.cto("status").out
    assert "A: worker ended (stopped" in crew.cto("stop").out
    assert "A     ready" in crew.cto("status").out


def test_stop_and_clean_go_by_the_adopted_policy_when_the_file_is_broken(crew: Crew) -> None:
    leave_a_worker(crew)
    (crew.path / "policy.toml").write_text("version = [")
    crew.cto("run", expect=4)
    stopped = crew.cto("stop")
    assert "A: worker ended (stopped" in stopped.out
    assert "going by the policy that team main adopted last" in stopped.err
    (crew.path / "policy.toml").unlink()
    cleaned = crew.cto("clean")
    assert cleaned.out == "Nothing was left behind\n"
    assert "there is no policy file here; going by the policy" in cleaned.err


def test_without_an_adopted_policy_a_broken_file_stays_an_error(crew: Crew) -> None:
    repository = discover(crew.path, crew.environ)
    with Ledger(repository, "other", SystemEffects(), "ada@box") as ledger:
        ledger.transact(CreateTeam(team="other", target="refs/heads/cto/other/integration"))
    (crew.path / "policy.toml").write_text("version = [")
    told = crew.cto("clean", "--team", "other", expect=4).error
    assert "not valid TOML" in told
