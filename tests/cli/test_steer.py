from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitcto.model.records import TaskSpec
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


def test_stop_ends_workers_that_an_interrupted_run_left(crew: Crew) -> None:
    script = json.dumps([[{"do": "write", "path": "b.py"}, {"do": "hang"}]])
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
    assert "A     executing" in crew.cto("status").out
    assert "A: worker ended (stopped" in crew.cto("stop").out
    assert "A     ready" in crew.cto("status").out
