"""What `git cto resume` announces after a kill is what the next run does: step by step."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.git.repository import discover
from gitcto.runtime.host.layout import settled_root
from gitcto.runtime.worker.worker_records import read_started
from tests.runtime.team.conftest import write

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

RUN_AND_DIE = Path(__file__).with_name("run_and_die.py")
CTO = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")

EXPECTED = {
    "readopt": {"lease.taken", "execution.exited", "work.harvested", "landing.done"},
    "take_up": {"lease.taken", "execution.exited", "work.harvested", "landing.done"},
    "reclaim": {"lease.taken", "execution.exited", "execution.failed"},
    "retry": {"lease.taken", "execution.failed"},
    "judge": {"lease.taken", "landing.intended", "landing.done"},
    "move": {"lease.taken", "landing.done"},
    "confirm": {"lease.taken", "landing.done"},
    "settle": set(),
}
"""What a run records of an execution that it takes each step for, at least."""

NEVER = {
    "readopt": {"execution.failed"},
    "take_up": {"execution.failed"},
    "reclaim": {"landing.done"},
    "retry": {"execution.started"},
    "judge": {"work.harvested", "execution.failed"},
    "move": {"landing.intended", "landing.abandoned"},
    "confirm": {"landing.intended", "landing.abandoned"},
    "settle": {"lease.taken", "execution.failed"},
}


def die_at(team: Any, point: str) -> None:
    argv = [sys.executable, str(RUN_AND_DIE), str(team.root), point, "1"]
    done = subprocess.run(argv, env=team.environ, capture_output=True, check=False, timeout=100)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def cto(team: Any, *arguments: str) -> str:
    done = subprocess.run(
        [*CTO, *arguments], cwd=team.path, env=team.environ, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def announced(team: Any) -> list[tuple[str, str]]:
    told = json.loads(cto(team, "resume", "--json"))
    assert told["steps_unknown"] == ""
    return [(step["execution"], step["action"]) for step in told["steps"]]


def recorded(team: Any, execution: str) -> set[str]:
    return {
        event.kind
        for event in team.told.events
        if getattr(event.body, "execution", "") == execution
    }


def assert_done(team: Any, steps: Iterable[tuple[str, str]]) -> None:
    for execution, action in steps:
        kinds = recorded(team, execution)
        assert EXPECTED[action] <= kinds, (action, kinds)
        assert not NEVER[action] & kinds, (action, kinds)


@pytest.fixture
def killed(team: Any) -> Any:
    """A team with a policy on disk, for `git cto` and for a run that is killed."""
    team.plan(team.task("A", [write("a.txt", "a\n")]))
    team.save_policy()
    (team.path / "policy.toml").write_text(team.policy_text)
    settled_root(discover(team.path, team.environ), team.rooms)
    return team


@pytest.mark.parametrize(
    ("point", "action"),
    [
        ("attempt.leased", "retry"),
        ("attempt.room", "retry"),
        ("attempt.harvested", "take_up"),
        ("queue.started", "judge"),
        ("landing.intended", "move"),
        ("landing.moved", "confirm"),
        ("room.aside", "settle"),
    ],
)
def test_what_is_announced_is_done(killed: Any, point: str, action: str) -> None:
    die_at(killed, point)
    steps = announced(killed)
    assert [each for _, each in steps] == [action]
    assert steps == announced(killed)  # to look changes nothing
    killed.run()
    assert_done(killed, steps)
    notes = [note for note in killed.told.notes if note.startswith("recovery: A: ")]
    assert len(notes) == 1
    assert killed.landed() == ["A"]
    killed.assert_clean()


def test_a_living_worker_is_gone_on_with_and_a_lost_one_reclaimed(killed: Any) -> None:
    """One supervisor lives, the other was killed, and left its worker alive."""
    go = killed.root / "go"
    wait = {"do": "wait_for", "path": str(go)}
    script = [write("b.txt", "b\n"), wait]
    with killed.ledger() as ledger:
        from gitcto.model.commands import ImportPlan

        more = killed.task("B", script, [write("b.txt", "b\n")])
        ledger.transact(ImportPlan(source="more", digest="1", tasks=(more,)))
    process = subprocess.Popen([*CTO, "run"], cwd=killed.path, env=killed.environ)
    _await(lambda: any((killed.rooms / "main").glob("*/room/b.txt")))
    _await(lambda: killed.tasks()["B"].state == "executing" and killed.landed() == ["A"])
    process.kill()
    process.wait()
    b = killed.tasks()["B"].execution
    steps = announced(killed)
    assert (b, "readopt") in steps
    home = killed.path / ".git" / "cto" / "teams" / "main" / "executions"
    started = read_started(home / b)
    assert started is not None
    os.kill(started.supervisor_pid, signal.SIGKILL)
    from gitcto.runtime.worker import workers

    _await(lambda: not workers.observe(home / b).alive)
    steps = announced(killed)
    assert (b, "reclaim") in steps
    go.touch()
    killed.run()
    assert_done(killed, [each for each in steps if each[0] == b])
    assert sorted(killed.landed()) == ["A", "B"]


def _await(condition: Any) -> None:
    import time

    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
