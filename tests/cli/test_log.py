from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.model.records import TaskSpec

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


def rows(out: str) -> list[str]:
    return [line.split("  ")[-1] for line in out.splitlines()[1:]]


def test_the_newest_event_comes_first(crew: Crew) -> None:
    crew.cto("pause")
    assert rows(crew.cto("log", "-n", "2").out)[0] == "team paused"
    assert len(rows(crew.cto("log", "-n", "2").out)) == 2


def test_the_events_of_one_task(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"), TaskSpec(id="B", title="b"))
    crew.lease("A")
    assert rows(crew.cto("log", "--task", "A").out) == [
        "A: attempt 1 leased to fake",
        "A: added",
    ]
    done = crew.cto("log", "--task", "AA", expect=2)
    assert done.error == "team main has no task 'AA', did you mean `A`?"


def test_programs_get_the_events_as_the_ledger_has_them(crew: Crew) -> None:
    told = json.loads(crew.cto("log", "--json").out)
    assert [each["event"]["body"]["kind"] for each in told["events"]] == [
        "policy.adopted",
        "team.created",
    ]
    assert told["events"][1]["seq"] == 1
    assert told["events"][0]["commit"] == crew.git("rev-parse", "refs/cto/teams/main/ledger")
