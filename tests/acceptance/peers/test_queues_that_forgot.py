"""What waits to land is judged in its turn, on its own, and never in nobody's hands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.peers.elsewhere import lost
from tests.acceptance.peers.policies import policy
from tests.acceptance.project import Job, Project, append, job, write

pytestmark = pytest.mark.slow

NEEDS_A_PERSON = {"blocked", "failed_terminal"}


@lost(
    "24 rejected items were in nobody's queue for 12 hours, because a line was dropped.",
    "gastownhall/gascity-packs#93",
)
@pytest.mark.timeout(240)
def test_each_of_24_rejected_items_has_one_owner__gascity_packs_93(tmp_path: Path) -> None:
    """Each is in a state that `git cto status` lists, with its reason and one ref that keeps it."""
    project = Project(tmp_path, policy(("test", "!", "-e", "bad"), workers=6, attempts=1))
    names = [f"T-{number:02}" for number in range(24)]
    project.plan(
        *(
            job(name, write("bad", f"{name}\n") if number % 2 else write("out/of/scope", name),
                paths=("bad",))
            for number, name in enumerate(names)
        )
    )  # fmt: skip
    shown = json.loads(_ran(project, code=1))
    tasks = {task["id"]: task for task in shown["tasks"]}
    assert sorted(tasks) == names
    assert {task["state"] for task in tasks.values()} <= NEEDS_A_PERSON
    assert all(task["reason"] for task in tasks.values())
    kept = [each["preserved"] for name in names for each in project.task(name)["executions"]]
    assert sorted(kept) == sorted(project.refs("preserved"))
    assert len(set(kept)) == len(names)
    assert json.loads(_ran(project, code=1))["unfinished"] == names
    assert project.kinds().count("execution.leased") == len(names)


def _ran(project: Project, *, code: int) -> str:
    return project.expect("run", "--json", code=code).splitlines()[-1]


@lost("One item was dispatched 52 times and more, and every time it failed.", "Kilo-Org/cloud#1349")
def test_what_always_fails_is_not_dispatched_for_ever__kilo_cloud_1349(tmp_path: Path) -> None:
    """Attempts have a limit of policy's; then a person decides, however often the team runs."""
    project = Project(tmp_path, policy(("test", "!", "-e", "bad"), attempts=3))
    project.plan(job("T-1", write("bad")))
    for _ in range(3):
        project.expect("run", code=1)
    assert project.state("T-1") == ("failed_terminal", "tests:tests_failed")
    assert project.kinds("T-1").count("execution.leased") == 3


@lost("A conflict was tried again and again, with no bound.", "Kilo-Org/cloud#1349")
@pytest.mark.timeout(120)
def test_what_always_conflicts_is_not_dispatched_for_ever__kilo_cloud_1349(tmp_path: Path) -> None:
    """Conflicts have a limit of their own, after which the task waits for a person."""
    wait = f'[ ! -e n-* ] || until [ -e "{tmp_path}/$(echo n-*)" ]; do sleep 0.02; done'
    project = Project(tmp_path, policy(("sh", "-c", wait), attempts=9, conflicts=2))
    attempts = [(append("base.txt", "mine\n"), write(f"n-{number}")) for number in range(1, 9)]
    project.plan(Job(id="T-1", attempts=attempts))
    with project.start("run", "--json") as running:
        assert running.stdout is not None
        for number in _harvests(running.stdout):
            project.move_target({"base.txt": f"theirs {number}\n"})
            (tmp_path / f"n-{number}").touch()
        running.communicate()
    assert project.state("T-1") == ("blocked", "conflict")
    project.expect("run", code=1)
    assert project.kinds("T-1").count("execution.leased") == 3
    assert len(project.refs("preserved")) == 3


def _harvests(lines: Iterable[str]) -> Iterator[int]:
    """Count the harvests that a run tells of, from 1."""
    kinds = (json.loads(line).get("event", {}).get("body", {}).get("kind") for line in lines)
    return (number for number, _ in enumerate((k for k in kinds if k == "work.harvested"), 1))


@lost(
    "The newest went first: five clean merges waited for 44 to 49 hours.",
    "gastownhall/gascity-packs#272",
)
@pytest.mark.timeout(120)
def test_who_waits_longest_lands_first__gascity_packs_272(tmp_path: Path) -> None:
    """Of the same tier and priority, changes land in the order in which they were harvested.

    The first to ask is judged before the others are there: one run at a time, until all wait.
    """
    go = tmp_path / "go"
    tests = ("sh", "-c", f'until [ -e "{go}" ]; do sleep 0.02; done')
    project = Project(tmp_path, policy(tests, workers=6, capacity=1))
    names = [f"T-{number}" for number in range(6)]
    project.plan(*(job(name, write(name)) for name in names))
    harvested: list[str] = []
    asked: list[str] = []
    with project.start("run", "--json") as running:
        assert running.stdout is not None
        for line in running.stdout:
            body = json.loads(line).get("event", {}).get("body", {})
            if body.get("kind") == "work.harvested":
                harvested.append(body["execution"])
            if body.get("kind") == "queue.enqueued":
                asked.append(body["execution"])
                if len(asked) == len(names):
                    go.touch()
        running.communicate()
    tasks = {project.task(name)["execution"]: name for name in names}
    waited = [asked[0], *(each for each in harvested if each != asked[0])]
    assert project.landed() == [tasks[each] for each in waited]


@lost(
    "C was thrown out of the train for what B had broken, because C's pipeline ended first.",
    "gitlab-org/gitlab#500693",
)
@pytest.mark.timeout(120)
def test_nobody_is_rejected_for_who_was_before_them__gitlab_500693(tmp_path: Path) -> None:
    """C lands, B is rejected for tests that were red with B alone on a green target."""
    go, first = tmp_path / "go", tmp_path / "first"
    tests = ("sh", "-c", f'until [ -e "{go}" ]; do sleep 0.02; done; [ ! -e b ]')
    project = Project(tmp_path, policy(tests, workers=6, attempts=1, capacity=1))
    later = {"do": "wait_for", "path": str(first)}
    project.plan(job("A", write("a")), job("B", later, write("b")), job("C", later, write("c")))
    with project.start("run", "--json") as running:
        assert running.stdout is not None
        for number in _harvests(running.stdout):
            # A is judged alone; B and C come while that is under way, and are judged together.
            {1: first, 2: first, 3: go}[number].touch()
        running.communicate()
    together = [body for body in project.events() if body["kind"] == "queue.run_started"]
    assert max(len(body["unit"]) for body in together) == 2
    assert sorted(project.landed()) == ["A", "C"]
    assert project.state("B") == ("failed_terminal", "tests:tests_failed")
    for name in ("A", "C"):
        assert project.task(name)["attempts"] == 1
        assert "execution.failed" not in project.kinds(name)
