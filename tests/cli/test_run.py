from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitcto.cli.requests import rooms_root
from gitcto.cli.signals import interruptible
from gitcto.git.repository import discover
from gitcto.model.records import TaskSpec
from tests.cli.conftest import MAIN, TARGET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Crew

WRITE = {"do": "write", "path": "b.py", "text": "y = 1\n"}


def test_a_run_tells_its_events_and_how_it_ended(crew: Crew) -> None:
    done = crew.work("A", WRITE)
    lines = done.out.splitlines()
    assert lines[0] == "A: attempt 1 leased to fake"
    assert "A: landed on cto/main/integration" in lines
    assert lines[-1].split() == ["A", "done", "1", "-", "Do", "A"]
    assert done.err.splitlines() == [
        "workers run at isolation level none, as policy allows",
        "hint: bring it to your branch with `git cto land`",
    ]
    assert crew.git("status", "--porcelain") == "?? policy.toml"


def test_json_is_a_line_an_event_and_the_result_last(crew: Crew) -> None:
    crew.work("A", WRITE)
    crew.plan(TaskSpec(id="B", title="again", inputs={"script": json.dumps([[WRITE]])}))
    told = [json.loads(line) for line in crew.cto("run", "--json", expect=1).out.splitlines()]
    assert {line["version"] for line in told} == {1}
    assert told[0]["type"] == "note"
    assert told[1]["event"]["body"]["kind"] == "execution.leased"
    assert told[-1]["type"] == "result"
    assert told[-1]["unfinished"] == ["B"]
    assert [task["state"] for task in told[-1]["tasks"]] == ["done", "failed_terminal"]


def test_a_task_that_gives_up_is_exit_one_with_the_way_on(crew: Crew) -> None:
    done = crew.work("A", {"do": "print", "text": "All done!"}, expect=1)
    assert "A is failed_terminal: worker_empty" in done.out
    assert done.err.endswith("hint: after `git cto retry TASK`, go on with `git cto run`\n")


def test_a_team_with_nothing_to_do_says_what_to_give_it(crew: Crew) -> None:
    assert "git cto plan import" in crew.cto("run").err


def test_a_paused_team_does_not_run(crew: Crew) -> None:
    crew.cto("pause")
    assert crew.cto("run", expect=1).error == "team main is paused"


def test_nobody_gets_more_than_six_workers(crew: Crew) -> None:
    assert "7" in crew.cto("run", "--workers", "7", expect=2).error


def test_a_terminal_sees_the_table_move(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="the title", inputs={"script": json.dumps([[WRITE]])}))
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "run"],
        cwd=crew.path,
        env={**crew.environ, "TERM": "xterm", "COLUMNS": "100"},
        stdout=follower,
        stderr=subprocess.DEVNULL,
    ) as running:
        os.close(follower)
        seen = _until_closed(leader)
    assert running.returncode == 0
    assert b"TASK" in seen
    assert b"A: landed on cto/main/integration" in seen


def _until_closed(terminal: int) -> bytes:
    seen = b""
    try:
        while chunk := os.read(terminal, 1 << 16):
            seen += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(terminal)
    return seen


def test_an_interrupted_run_leaves_its_worker_to_the_next_one(crew: Crew, tmp_path: Path) -> None:
    go = tmp_path / "go"
    steps = [{"do": "wait_for", "path": str(go)}, WRITE]
    crew.plan(TaskSpec(id="A", title="a", inputs={"script": json.dumps([steps])}))
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "run"],
        cwd=crew.path,
        env=crew.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "started as process" in line:
                break
        running.send_signal(signal.SIGINT)
        _, err = running.communicate()
    assert running.returncode == 130
    assert "hint: 1 worker goes on; `git cto run` takes up what they do" in err
    go.touch()
    crew.cto("run")
    assert crew.git("show", f"{TARGET}:b.py") == "y = 1"


def test_the_first_signal_asks_and_the_second_ends() -> None:
    told: list[str] = []
    with interruptible(lambda: told.append("once")) as asked:
        assert not asked()
        signal.raise_signal(signal.SIGTERM)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert told == ["once"]


def test_rooms_lie_in_the_users_state_one_folder_a_repository(crew: Crew) -> None:
    repository = discover(crew.path, crew.environ)
    host = crew.host(environ={"XDG_STATE_HOME": "state"})  # a relative one does not count
    at_home = rooms_root(host, repository)
    assert at_home.parent == crew.home / ".local/state/git-cto/rooms"
    assert at_home.name.startswith("room-")


def test_where_rooms_lie_is_decided_once(crew: Crew) -> None:
    repository = discover(crew.path, crew.environ)
    state = crew.home / "state"
    stated = rooms_root(crew.host(environ={"XDG_STATE_HOME": str(state)}), repository)
    assert stated.parent == state / "git-cto/rooms"
    assert rooms_root(crew.host(), repository) == stated
