"""Every way to fail, for real: what follows is what the scenario and the page say."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from tests.acceptance.failures import scene, table
from tests.acceptance.failures.scenarios import SCENARIOS, Outcome, Scenario
from tests.acceptance.project import Project, unchanged

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/failures.md"
BY_NAME = {each.name: each for each in SCENARIOS}
NAMES = {
    "no diff",
    "disallowed file",
    "failed tests",
    "missing test command",
    "missing event",
    "reviewer reject",
    "approval denied",
    "timeout",
    "dirty starting tree",
    "dirty ending tree",
    "artifact write failure",
    "provider unavailable",
}


@pytest.fixture(params=SCENARIOS, ids=lambda each: each.name.replace(" ", "_"))
def scenario(request: pytest.FixtureRequest) -> Scenario:
    made: Scenario = request.param
    if made.fault == "file size limit" and not hasattr(resource, "prlimit"):
        pytest.skip("another process can be given a limit on Linux only")
    return made


def test_it_ends_as_the_page_says(scenario: Scenario, tmp_path: Path) -> None:
    project = scene.prepare(scenario, tmp_path)
    before = unchanged(project)
    outcome = scene.play(scenario, project)
    assert outcome == scenario.expected
    _assert_the_report_agrees(project, outcome)
    page = table.between_marks(PAGE.read_text(encoding="utf-8"))
    assert table.row(scenario, outcome) in page.splitlines()
    _assert_nothing_is_done_or_lost(project)
    assert unchanged(project) == before


def _assert_the_report_agrees(project: Project, outcome: Outcome) -> None:
    executions = project.task(scene.TASK)["executions"]
    evidence = executions[-1]["evidence"] if executions else ""
    if not evidence:
        assert outcome.report == "none"
        return
    held = f"{evidence}:events.normalized.jsonl"
    lines = project.git("cat-file", "blob", held).splitlines()
    kinds = scene.in_order(json.loads(line)["type"] for line in lines)
    assert kinds
    assert kinds == outcome.events[: len(kinds)]
    report = json.loads(project.git("cat-file", "blob", f"{evidence}:report.json"))
    assert outcome.reason in report["blockers"]


def _assert_nothing_is_done_or_lost(project: Project) -> None:
    assert project.landed() == []
    assert project.cto("evidence", "verify", scene.TASK).returncode != 0
    task = project.task(scene.TASK)
    if any(execution["changed"] for execution in task["executions"]):
        held = project.refs("preserved") or project.refs("executions")
        assert project.show("value.py", held[0]) != project.show("value.py", "main")
    project.git("fsck", "--full", "--strict")


def test_with_room_again_another_attempt_lands(tmp_path: Path) -> None:
    scenario = BY_NAME["artifact write failure"]
    if not hasattr(resource, "prlimit"):
        pytest.skip("another process can be given a limit on Linux only")
    project = scene.prepare(scenario, tmp_path)
    scene.play(scenario, project)
    go = Path(project.environ["GO"])
    go.unlink()
    go.touch()
    project.expect("retry", scene.TASK)
    project.expect("run")
    assert project.landed() == [scene.TASK]
    project.expect("evidence", "verify", scene.TASK)


def test_the_same_worker_lands_where_nothing_is_made_to_fail(tmp_path: Path) -> None:
    """What fails is the failure: without it, the very same scenes end well."""
    steps = ({"do": "event", "event": "started"}, *BY_NAME["failed tests"].steps)
    good = Scenario(
        name="none",
        cause="",
        steps=(*steps[:1], *BY_NAME["timeout"].steps[:1], {"do": "event", "event": "finished"}),
        expected=BY_NAME["no diff"].expected,
    )
    project = scene.prepare(good, tmp_path)
    assert scene.play(good, project).state == "done"
    project.expect("evidence", "verify", scene.TASK)


def test_the_page_has_the_twelve_failures_and_what_is_expected_of_them() -> None:
    page = table.between_marks(PAGE.read_text(encoding="utf-8"))
    assert page == table.markdown(table.expected())
    assert set(BY_NAME) == NAMES
