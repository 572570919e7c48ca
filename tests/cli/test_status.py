from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from gitcto.cli import status
from gitcto.cli.wording import age, moment
from gitcto.git.repository import discover
from gitcto.model.records import TaskSpec
from gitcto.store.heartbeat import Pulse
from gitcto.store.sidecar import sidecar_path

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, Room


def spec(task: str, *after: str) -> TaskSpec:
    return TaskSpec(id=task, title=f"Do {task}", depends_on=after)


def test_a_new_team_says_so(crew: Crew) -> None:
    assert crew.cto("status").out == (
        "Team main is running and lands on cto/main/integration\nno tasks\n"
    )


def test_every_task_of_a_small_team_is_listed_with_its_state(crew: Crew) -> None:
    crew.plan(spec("A"), spec("B", "A"), spec("C"))
    crew.lease("C")
    lines = crew.cto("status").out.splitlines()
    assert lines[1] == "3 tasks: 2 queued, 1 dispatching"
    assert [line.split()[:3] for line in lines[4:]] == [
        ["A", "ready", "-"],
        ["B", "waits", "for"],
        ["C", "dispatching", "1"],
    ]


def test_a_failure_says_why_where_its_work_is_and_how_to_go_on(crew: Crew) -> None:
    crew.plan(spec("A"))
    crew.fail("A")
    assert crew.cto("status").out.endswith(
        "A is failed_terminal: gate_failed: tests: 2 failed\n"
        "  its work is kept at refs/cto/teams/main/preserved/e1\n"
        "  look with `git cto show A`, go on with `git cto retry A`\n"
    )
    assert crew.cto("status", "--line").out == "main running 0/1 done, 1 needs you\n"


@pytest.mark.parametrize("command", [("status",), ("show", "A"), ("log",)], ids=" ".join)
def test_what_a_worker_says_cannot_steer_the_terminal(crew: Crew, command: tuple[str, ...]) -> None:
    crew.plan(spec("A"))
    crew.fail("A", detail="\x1b[2Jgone\rok")
    shown = crew.cto(*command).out
    assert all(line.isprintable() for line in shown.split("\n"))


def test_a_large_team_is_summed_up(crew: Crew) -> None:
    first = [spec(f"T{number}") for number in range(status.SMALL)]
    crew.plan(*first, spec("last", "T0"))
    assert "last" not in crew.cto("status").out
    assert "last" in crew.cto("status", "--all").out


def test_status_for_programs(crew: Crew) -> None:
    crew.plan(spec("A"))
    told = json.loads(crew.cto("status", "--json").out)
    assert told["version"] == 1
    assert told["team"]["counts"] == {"queued": 1}
    assert [task["id"] for task in told["ready"]] == ["A"]
    assert "tasks" not in told
    assert len(json.loads(crew.cto("status", "--json", "--all").out)["tasks"]) == 1


def test_status_says_when_a_worker_was_last_looked_after(crew: Crew) -> None:
    crew.plan(spec("A"), spec("B"))
    crew.lease("A", "e1")
    crew.lease("B", "e2")
    sidecar = sidecar_path(discover(crew.path, crew.environ))
    heartbeat = {"sidecar": str(sidecar), "team": "main", "execution": "e1"}
    assert Pulse(heartbeat, 1, "").beat(1_800_000_000_000, 0)
    told = json.loads(crew.cto("status", "--json").out)["executions"]
    assert [each["seen_ms"] for each in told] == [1_800_000_000_000, None]


def test_watching_writes_again_only_when_the_ledger_moved(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = itertools.count(1)

    def tick(_seconds: float) -> None:
        number = next(pauses)
        if number == 2:
            crew.plan(spec("A"))
        if number == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(status, "pause_for", tick)
    done = crew.cto("status", "--line", "--watch", expect=130)
    assert done.out == "main running 0/0 done\nmain running 0/1 done\n"


def test_the_only_team_need_not_be_named_and_of_two_one_must(crew: Crew) -> None:
    crew.cto("init", "--team", "docs")
    assert crew.cto("status", expect=2).error == "this repository has 2 teams: docs, main"
    assert crew.cto("status", "--team", "docs").out.startswith("Team docs is running")
    assert crew.cto("status", "--team", "absent", expect=2).error.startswith("there is no team")


def test_without_a_team_the_next_step_is_named(repo: Room) -> None:
    done = repo.cto("status", expect=2)
    assert done.error == "there is no team in this repository yet"
    assert done.err.endswith("`git cto init`\n")


def test_ages_and_moments_are_short_and_the_same_everywhere() -> None:
    assert [age(0, each * 1000) for each in (-1, 59, 60, 3600, 90_000)] == [
        "0s",
        "59s",
        "1m",
        "1h",
        "1d",
    ]
    assert moment(0) == "1970-01-01 00:00:00Z"
