from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gitcto.model.records import TaskSpec
from tests.cli.conftest import POLICY, Crew

if TYPE_CHECKING:
    from tests.cli.conftest import Room

STEP = {"do": "write", "path": "b.py", "text": "y = 1\n"}


@pytest.fixture
def crew(repo: Room) -> Crew:
    repo.write("policy.toml", POLICY)
    made = Crew(repo.path, repo.home, repo.environ)
    made.cto("init")
    return made


def test_what_a_worker_was_told_is_shown_with_its_size(crew: Crew) -> None:
    crew.work("A", STEP, prompt="make it so")
    [made] = json.loads(crew.cto("context", "A", "--json").out)["checkpoints"]
    assert (made["number"], made["budget"], made["saved"], made["entries"]) == (1, 60000, 0, 2)
    prompt = crew.cto("context", "A", "--prompt").out
    assert prompt.startswith("# A: Do A\n\nmake it so\n\n## Rules\n")
    assert made["tokens"] == -(-len(prompt.encode()) // 4)
    shown = crew.cto("context", "A")
    [row] = shown.out.splitlines()[1:]
    assert row.split() == ["1", made["execution"], str(made["tokens"]), "60000", "0", "whole"]
    assert "context   checkpoint 1: `git cto context A`\n" in crew.cto("show", "A").out


def test_a_damaged_one_is_said_to_be(crew: Crew) -> None:
    crew.work("A", STEP)
    [made] = json.loads(crew.cto("context", "A", "--json").out)["checkpoints"]
    blob = made["blob"]
    (crew.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    [damaged] = json.loads(crew.cto("context", "A", "--json").out)["checkpoints"]
    assert blob in damaged["problem"]
    assert crew.cto("context", "A", "--prompt", expect=1).error == (
        "no checkpoint of what A is told can be read"
    )


def test_a_task_that_nobody_began_has_none(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    assert crew.cto("context", "A").out == "Nobody was told anything about A yet\n"
    assert crew.cto("context", "A", "--prompt", expect=1).error
