"""A team whose landings are pushed: what is done says where it is, whatever the remote does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.pushing.conftest import TARGET, Hub
from tests.runtime.team.conftest import write

DIES = Path(__file__).parents[1] / "team" / "run_and_die.py"


def tip(hub: Hub) -> str:
    return hub.git("rev-parse", TARGET)


def pushes(hub: Hub) -> list[str]:
    """Return the commits that the remote was seen to hold, as the ledger has them."""
    with hub.ledger() as ledger:
        bodies = [stored.event.body for stored in ledger.events()]
    return [body.commit for body in bodies if type(body).__name__ == "BranchPushed"]


def test_what_lands_is_at_the_remote_when_its_task_is_done(hub: Hub) -> None:
    hub.plan(hub.task("A", [write("a.txt", "a\n")]))
    hub.run()
    task = hub.tasks()["A"]
    assert (task.state.value, task.push) == ("done", f"origin {TARGET}")
    assert hub.there() == tip(hub) == task.commit
    assert pushes(hub) == [task.commit]


def test_a_remote_that_rejects_undoes_no_landing_and_the_next_takes_it_along(hub: Hub) -> None:
    hub.hook("pre-receive", "exit 1")
    hub.plan(hub.task("A", [write("a.txt", "a\n")]))
    hub.run()
    task = hub.tasks()["A"]
    assert task.state.value == "done"
    assert task.push.startswith("not pushed: origin rejected it: pre-receive hook declined")
    assert pushes(hub) == []
    (hub.hub / "hooks" / "pre-receive").unlink()
    hub.plan_more(hub.task("B", [write("b.txt", "b\n")]))
    hub.run()
    assert hub.tasks()["B"].push == f"origin {TARGET}"
    assert hub.there() == tip(hub)
    assert pushes(hub) == [tip(hub)]


@pytest.mark.parametrize("point", ["target.pushed", "landing.pushed", "landing.moved"])
def test_killed_around_a_push_the_next_run_finds_the_truth(hub: Hub, point: str) -> None:
    hub.save_policy()
    hub.plan(hub.task("A", [write("a.txt", "a\n")]))
    argv = [sys.executable, str(DIES), str(hub.root), point, "1"]
    assert subprocess.run(argv, env=hub.environ, capture_output=True, check=False).returncode == -9
    hub.run()
    assert hub.landed() == ["A"]
    assert hub.tasks()["A"].push == f"origin {TARGET}"
    assert hub.there() == tip(hub)
    assert pushes(hub) == [tip(hub)]
    hub.assert_clean()
