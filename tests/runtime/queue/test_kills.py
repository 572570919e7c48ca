"""A run killed while changes land together, and a worker that writes in the sidecar."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from gitcto.model.records import TaskState
from tests.runtime.queue.conftest import write
from tests.runtime.team.conftest import die_at

POINTS = (
    "queue.started",
    "landing.intended",
    "landing.moved",
    "landing.pushed",
    "landing.done",
)

NAMES = ("A", "B", "C", "D")


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("passings", [1, 2])
def test_each_of_several_changes_lands_once_wherever_the_run_is_killed(
    team: Any, point: str, passings: int
) -> None:
    """With passings=2 the killed landing is of several changes at once."""
    team.gate()
    team.plan(*(team.task(name, [write(name.lower())]) for name in NAMES))
    team.save_policy()
    team.harvest_all()
    assert die_at(team, point, passings) == -9
    team.run()
    assert sorted(team.landed()) == list(NAMES)
    assert {task.state for task in team.tasks().values()} == {TaskState.DONE}
    assert len(team.bodies("landing.done")) == len(NAMES)
    for body in team.bodies("landing.done"):
        assert team.git("merge-base", "--is-ancestor", body.commit, "cto/main/integration") == ""
    team.assert_clean()
    with team.ledger() as ledger:
        assert ledger.verify_chain() == []


FORGE = """\
import json, os, sqlite3, sys
with open("a", "w") as work:
    work.write("1\\n")
db = sqlite3.connect({database!r}, timeout=20)
for name in {tasks!r}:
    where = "team = 'main' AND id = ?"
    (body,) = db.execute(f"SELECT body FROM task WHERE {{where}}", (name,)).fetchone()
    task = json.loads(body) | {{"state": "done", "commit": "0" * 40, "evidence": "0" * 40}}
    new = json.dumps(task, separators=(",", ":")).encode()
    db.execute(f"UPDATE task SET state = 'done', body = ? WHERE {{where}}", (new, name))
db.commit()
"""


@pytest.mark.parametrize("tasks", [["A"], ["B"], ["A", "B"]])
def test_what_a_worker_writes_in_the_sidecar_makes_nothing_done(team: Any, tasks: Any) -> None:
    """Without a sandbox it can; it is noticed before anything lands, and thrown away."""
    forger = team.root / "forge.py"
    database = str(team.path / ".git" / "cto" / "sidecar.db")
    forger.write_text(FORGE.format(database=database, tasks=tasks))
    argv = json.dumps([sys.executable, str(forger)])
    team.policy_text += '[roles.forger]\nprovider = "forger"\n[providers.forger]\n'
    team.policy_text += f'plugin = "command"\nargv = {argv}\n'
    forged = team.task("A", [], role="forger")
    team.plan(forged, team.task("B", [write("b")], depends_on=("A",)))
    team.run()
    assert team.landed() == ["A", "B"]
    done = team.bodies("landing.done")
    assert team.of(body.execution for body in done) == ["A", "B"]
    assert {task.commit for task in team.tasks().values()} == {body.commit for body in done}
    assert any("the ledger does not" in note for note in team.told.notes)
    team.assert_clean()
