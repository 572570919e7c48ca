from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitcto.model.progress import progress
from gitcto.model.records import Task, TaskSpec, TaskState

if TYPE_CHECKING:
    from tests.cli.conftest import Crew

ADD = {"do": "write", "path": "a.py", "text": "y = 1\n"}


def sprint(crew: Crew) -> str:
    """One task landed, one failed for good, one under way, one blocked, two that wait."""
    crew.work("A", ADD, tier="P0", owner="ada")
    crew.plan(
        TaskSpec(id="B", title="b | c", tier="P1", owner="bob"),
        TaskSpec(id="C", title="c", tier="P1", owner="bob"),
        TaskSpec(id="D", title="d", tier="P1"),
        TaskSpec(id="E", title="e", tier="P1", depends_on=("B",)),
    )
    crew.fail("B", "e1", detail="tests: 2 failed | 1 passed")
    crew.lease("C", "e2")
    return crew.git("rev-parse", "refs/heads/cto/main/integration")


def lines(out: str, first: str) -> list[list[str]]:
    rows = [line.strip("|").split(" | ") for line in out.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if row[0].strip() == first]


def test_a_report_counts_whole_by_tier_and_by_owner(crew: Crew) -> None:
    sprint(crew)
    out = crew.cto("report", "progress").out
    assert out.startswith("# Progress of team main\n")
    #               total done  %   queued disp. exec. valid. integ. blocked failed
    assert lines(out, "**all**") == [["**all**", "5", "1", "20", "2", "1", "0", "0", "0", "0", "1"]]
    assert lines(out, "P0") == [["P0", "1", "1", "100", "0", "0", "0", "0", "0", "0", "0"]]
    assert lines(out, "P1") == [["P1", "4", "0", "0", "2", "1", "0", "0", "0", "0", "1"]]
    assert lines(out, "P2") == [["P2", "0", "0", "-", "0", "0", "0", "0", "0", "0", "0"]]
    assert lines(out, "bob") == [["bob", "2", "0", "0", "0", "1", "0", "0", "0", "0", "1"]]
    assert lines(out, "not stated")[0][:2] == ["not stated", "2"]


def test_what_is_done_is_listed_with_its_proof_and_what_is_not_with_its_reason(crew: Crew) -> None:
    commit = sprint(crew)
    out = crew.cto("report", "progress").out
    told = json.loads(crew.cto("report", "progress", "--format", "json").out)
    (done,) = told["done_tasks"]
    assert done["commit"] == commit
    assert done["push"]
    assert f"| A | P0 | ada | `{commit}` | {done['push']} | `{done['evidence']}` | Do A |" in out
    assert "## In progress\n\n| task | tier | owner | state | attempt | title |" in out
    assert "| C | P1 | bob | dispatching | 1 | c |" in out
    assert r"| B | P1 | bob | gate_failed: tests: 2 failed \| 1 passed | b \| c |" in out
    assert "## Blocked" not in out
    assert told["failed_tasks"][0]["reason"] == "gate_failed"
    assert crew.git("cat-file", "-t", done["evidence"]) == "tree"


def test_programs_get_every_count(crew: Crew) -> None:
    sprint(crew)
    told: dict[str, Any] = json.loads(crew.cto("report", "progress", "--format", "json").out)
    assert (told["total"], told["done"], told["percent_done"]) == (5, 1, 20)
    assert told["in_progress_by_state"] == {
        "dispatching": 1,
        "executing": 0,
        "validating": 0,
        "integrating": 0,
    }
    assert told["tiers"]["P2"]["percent_done"] is None
    assert set(told["owners"]) == {"", "ada", "bob"}


def test_the_same_ledger_gives_the_same_report_anywhere(crew: Crew) -> None:
    sprint(crew)
    crew.git("clone", "-q", ".", "../clone")
    crew.git("-C", "../clone", "fetch", "-q", "origin", "refs/cto/*:refs/cto/*")
    for form in ("md", "json"):
        here = crew.cto("report", "progress", "--format", form)
        assert here == crew.cto("report", "progress", "--format", form)
        assert here == crew.cto("-C", "../clone", "report", "progress", "--format", form)


def test_a_team_without_tasks_is_zero_of_zero(crew: Crew) -> None:
    out = crew.cto("report", "progress").out
    assert lines(out, "**all**")[0][1:4] == ["0", "0", "-"]


def test_an_unknown_format_is_usage(crew: Crew) -> None:
    assert "csv" in crew.cto("report", "progress", "--format", "csv", expect=2).error


def test_a_percentage_is_rounded_down() -> None:
    spec = TaskSpec(id="T", title="")
    done = [Task(spec=spec, order=n, state=TaskState.DONE) for n in range(199)]
    left = Task(spec=spec, order=199)
    assert progress([*done, left]).overall.percent_done == 99
    assert progress(done).overall.percent_done == 100


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TaskState), st.sampled_from(["P0", "P1", "P2"]))))
def test_a_hundred_percent_means_all_and_every_task_is_counted_once(
    drawn: list[tuple[TaskState, Any]],
) -> None:
    tasks = [
        Task(spec=TaskSpec(id=f"T{n}", title="", tier=tier), order=n, state=state)
        for n, (state, tier) in enumerate(drawn)
    ]
    found = progress(tasks[::-1])
    assert found == progress(tasks)
    for count in (found.overall, *found.tiers.values(), *found.owners.values()):
        parts = (count.done, count.queued, count.in_progress, count.blocked, count.failed)
        assert sum(parts) == count.total
        assert (count.percent_done == 100) == (count.total > 0 and count.done == count.total)
    assert sum(count.total for count in found.tiers.values()) == len(tasks)
    listed = (*found.done, *found.working, *found.blocked, *found.failed)
    assert len(listed) + found.overall.queued == len(tasks)
