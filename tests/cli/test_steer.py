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
    assert crew.cto("resume").out.splitlines()[-1] == "Team main is running"


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


def test_resume_says_first_what_the_next_run_goes_on_with(crew: Crew) -> None:
    leave_a_worker(crew)
    crew.cto("pause")
    told = json.loads(crew.cto("resume", "--json").out)
    assert [(step["task"], step["action"]) for step in told["steps"]] == [("A", "readopt")]
    assert told["changed"]
    assert [(x["task"], x["epoch"], x["here"]) for x in told["leases"]] == [("A", 1, True)]
    lines = crew.cto("resume").out.splitlines()
    assert any("its worker is alive; it is waited for" in line for line in lines)
    assert lines[-1] == "Team main was running already"
    crew.cto("stop")


def test_resume_without_a_policy_lets_the_team_go_all_the_same(crew: Crew) -> None:
    crew.cto("pause")
    (crew.path / "policy.toml").write_text("version = [")
    said = crew.cto("resume")
    assert "going by the policy that team main adopted last" in said.err
    assert said.out.splitlines()[-1] == "Team main is running"


def test_who_holds_what_is_listed(crew: Crew) -> None:
    assert crew.cto("lease", "list").out == "Nobody holds a task\n"
    leave_a_worker(crew)
    line = crew.cto("lease", "list").out.splitlines()[1]
    assert line.split()[:3] == ["A", "executing", "1"]
    assert "here" in line
    crew.cto("stop")


def test_a_task_is_stolen_with_a_reason_and_only_once(crew: Crew) -> None:
    leave_a_worker(crew)
    said = crew.cto("lease", "steal", "A", "--reason", "it hangs")
    assert said.out.startswith("A is taken away from ")
    assert "`git cto stop A`" in said.err
    assert "A     ready" in crew.cto("status").out
    again = crew.cto("lease", "steal", "A", "--reason", "it hangs", expect=1)
    assert again.error == "nobody holds A: it is queued"
    assert "attempt 1 ended: lease_stolen: ada@box took it away" in crew.cto("show", "A").out
    crew.cto("stop")  # ends the worker, which lives on until somebody looks


def test_a_stopped_task_waits_for_retry_and_its_work_is_kept(crew: Crew) -> None:
    leave_a_worker(crew)
    said = crew.cto("stop", "A", "--reason", "later")
    assert said.out == "A is stopped: its worker ends now; a run keeps what it did\n"
    crew.cto("run", expect=1)
    assert "A is blocked: stopped: a person stopped it: later" in crew.cto("status").out
    crew.cto("retry", "A")
    assert crew.cto("stop", "A").out == "A is stopped: nobody works on it\n"
    assert crew.cto("stop", "A", expect=1).error == "A is blocked"
    assert "means nothing" in crew.cto("stop", "--reason", "x", expect=2).error


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
