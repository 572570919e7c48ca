from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.model.records import TaskSpec

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


def test_a_task_is_shown_with_its_attempts_and_the_way_on(crew: Crew) -> None:
    crew.plan(
        TaskSpec(id="A", title="first", prompt="one\ntwo", paths=("src/**",)),
        TaskSpec(id="B", title="second", depends_on=("A",)),
    )
    crew.fail("A")
    lines = crew.cto("show", "A").out.splitlines()
    assert lines[:4] == [
        "task      A",
        "title     first",
        "state     failed_terminal",
        "role      developer, tier P1, normal priority",
    ]
    assert "before    B" in lines
    assert lines[6:8] == ["prompt    one", "          two"]
    assert "attempt 1 ended: gate_failed: tests: 2 failed" in lines
    assert "  its work is kept at refs/cto/teams/main/preserved/e1" in lines
    assert lines[-1].endswith("go on with `git cto retry A`")


def test_show_for_programs(crew: Crew) -> None:
    crew.land("A")
    told = json.loads(crew.cto("show", "A", "--json").out)
    assert told["task"]["state"] == "done"
    assert told["task"]["prompt"] == ""
    assert [each["gate"] for each in told["executions"][0]["verdicts"]] == ["nonempty"]
