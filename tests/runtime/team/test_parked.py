"""A provider that ran dry: nothing more is started with it, nothing is lost, nothing is repaid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitcto.model.amending import amended
from gitcto.model.circuit_commands import CloseCircuit
from gitcto.model.commands import Refusal
from gitcto.model.records import TaskSpec, TaskState
from tests.runtime.team.conftest import POLICY, Steps, TeamRepo, write

HOUR = 3600
QUOTA = {"do": "fault", "kind": "quota", "detail": "no more today", "retryable": False}


def starts(team: TeamRepo) -> list[str]:
    """Return the tasks of the agents that were started, as they wrote it down themselves."""
    log = team.root / "starts"
    return log.read_text().split() if log.exists() else []


def worker(team: TeamRepo, name: str, *steps: dict[str, object]) -> Steps:
    return [{"do": "append", "path": str(team.root / "starts"), "text": f"{name}\n"}, *steps]


def close(team: TeamRepo) -> None:
    with team.ledger() as ledger:
        answer = ledger.transact(CloseCircuit(provider="scripted", by="ada"))
        assert not isinstance(answer, Refusal)


def wait_until(path: Path) -> dict[str, object]:
    return {"do": "wait_for", "path": str(path)}


@pytest.mark.timeout(120)
def test_a_quota_parks_the_team_and_the_next_run_repays_nothing(team: TeamRepo) -> None:
    done = [write("a.txt", "a")]
    team.plan(
        team.task("A", worker(team, "A", *done)),
        team.task(
            "B",
            worker(team, "B", write("b.txt", "half"), QUOTA),
            worker(team, "B", write("b.txt", "b")),
        ),
        team.task("C", worker(team, "C", write("c.txt", "c")), depends_on=("A",)),
    )
    team.policy_text = team.policy_text.replace("max_workers = 3", "max_workers = 1")
    result = team.run()
    assert starts(team) == ["A", "B"]
    assert result.resting == ("scripted is parked (quota: no more today)",)
    tasks = team.tasks()
    assert tasks["A"].state is TaskState.DONE
    assert (tasks["B"].state, tasks["B"].charged) == (TaskState.QUEUED, 0)
    [kept] = team.preserved()
    assert team.show("b.txt", kept) == "half"

    again = team.run()  # nothing has changed: nothing is started
    assert starts(team) == ["A", "B"]
    assert again.resting == result.resting

    close(team)
    last = team.run()
    assert last.resting == ()
    assert sorted(starts(team)) == ["A", "B", "B", "C"]
    assert sorted(team.landed()) == ["A", "B", "C"]
    team.assert_clean()


@pytest.mark.timeout(120)
def test_agents_in_flight_end_each_for_itself_and_are_charged_to_nobody(team: TeamRepo) -> None:
    both = [team.root / f"up-{name}" for name in "AB"]
    scripts = {
        name: worker(
            team,
            name,
            write(f"{name}.txt", name),
            {"do": "write", "path": str(team.root / f"up-{name}"), "text": ""},
            *map(wait_until, both),
            {**QUOTA, "retry_after_s": HOUR},
        )
        for name in "AB"
    }
    team.plan(*(team.task(name, script) for name, script in scripts.items()))
    result = team.run()
    assert sorted(starts(team)) == ["A", "B"]
    assert result.resting
    for task in team.tasks().values():
        assert (task.state, task.charged, task.unlucky) == (TaskState.QUEUED, 0, 0)
    assert len(team.preserved()) == 2
    opened = [event for event in team.told.events if event.kind == "circuit.opened"]
    assert len(opened) >= 1
    kinds = team.told.kinds()
    assert kinds.index("circuit.opened") == kinds.index("step.ended") + 1
    team.assert_clean()


@pytest.mark.timeout(120)
def test_a_rate_limit_is_tried_again_after_a_while_and_counts_for_nothing(team: TeamRepo) -> None:
    rate = {"do": "fault", "kind": "rate", "retry_after_s": 1, "provider_code": "429"}
    team.plan(team.task("A", *([worker(team, "A", rate)] * 3), worker(team, "A", write("a", "a"))))
    team.policy_text = team.policy_text.replace(
        "max_attempts = 2", "max_attempts = 1\nbackoff_s = 1"
    )
    result = team.run()
    assert (result.unfinished, result.resting) == ((), ())
    failed = [e.body for e in team.told.events if e.kind == "execution.failed"]
    assert [(b.fault, b.charged) for b in failed] == [("rate", False)] * 3
    leased = [e.ts for e in team.told.events if e.kind == "execution.leased"]
    assert all(b.not_before_ms <= ts for b, ts in zip(failed, leased[1:], strict=True))
    assert starts(team) == ["A"] * 4


FAILS = {"do": "fault", "kind": "model", "detail": "500"}
SOON = "max_attempts = 2\nbackoff_s = 1\nbackoff_max_s = 1\n"


@pytest.mark.timeout(120)
def test_a_task_whose_provider_fails_for_ever_waits_for_a_person(team: TeamRepo) -> None:
    team.plan(team.task("A", worker(team, "A", FAILS)))
    caps = f"{SOON}provider_faults_per_task = 2"
    team.policy_text = team.policy_text.replace("max_attempts = 2", caps)
    result = team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.charged) == (TaskState.BLOCKED, "worker_model", 0)
    assert starts(team) == ["A", "A"]
    assert result.resting == ()


@pytest.mark.timeout(120)
def test_a_run_whose_providers_fail_for_ever_starts_nothing_more(team: TeamRepo) -> None:
    team.plan(team.task("A", worker(team, "A", FAILS)))
    caps = f"{SOON}provider_faults_per_run = 3"
    team.policy_text = team.policy_text.replace("max_attempts = 2", caps)
    result = team.run()
    assert starts(team) == ["A"] * 3
    assert team.tasks()["A"].state is TaskState.QUEUED
    assert result.resting == (
        "providers failed 3 times in this run (retries.provider_faults_per_run)",
    )


@pytest.mark.timeout(120)
def test_a_role_with_another_provider_goes_on_with_that_one(team: TeamRepo) -> None:
    both = 'providers = ["scripted", "other"]\n[providers.other]\nplugin = "fake"'
    team.policy_text = team.policy_text.replace('provider = "scripted"', both)
    team.policy_text = team.policy_text.replace("max_workers = 3", "max_workers = 1")
    dry = worker(team, "A", write("a.txt", "half"), QUOTA)
    team.plan(
        team.task("A", dry, worker(team, "A", write("a.txt", "a"))),
        team.task("B", worker(team, "B", write("b.txt", "b"))),
    )
    result = team.run()
    assert result.resting == ()
    by = [e.body.provider for e in team.told.events if e.kind == "step.started"]
    assert by.count("scripted") == 1
    assert set(by[1:]) == {"other"}
    assert "B" in team.landed()


STEPS = """
[providers.thinker]
plugin = "fake"
script = '{thinks}'
[roles.helper]
provider = "other"
[providers.other]
plugin = "fake"
[strategies.plan_then_write.providers]
planner = "thinker"
writer = "scripted"
"""


def planned(team: TeamRepo, *steps: dict[str, object]) -> str:
    """Return a policy whose developers think first; ``steps`` are what the writer does then."""
    thinks = json.dumps([worker(team, "think", {"do": "message", "text": "do it"})])
    writes = json.dumps([worker(team, "write", *steps)])
    text = POLICY.replace("workers = 3", "workers = 1")
    text = text.replace('plugin = "fake"', f"plugin = \"fake\"\nscript = '{writes}'")
    text = text.replace('"scripted"', '"scripted"\nstrategy = "plan_then_write"', 1)
    return text + STEPS.format(thinks=thinks)


@pytest.mark.timeout(120)
def test_a_step_whose_provider_runs_dry_waits_and_keeps_nobody_else_from_working(
    team: TeamRepo,
) -> None:
    team.policy_text = planned(team, QUOTA)
    other = worker(team, "other", write("b.txt", "b"))
    team.plan(
        TaskSpec(id="A", title="A"),
        amended(team.task("B", other), role="helper"),
        TaskSpec(id="C", title="C", depends_on=("B",)),
    )
    result = team.run()
    assert starts(team) == ["think", "write", "other"]
    assert result.resting == ("scripted is parked (quota: no more today)",)
    assert team.landed() == ["B"]
    task = team.tasks()["A"]
    assert (task.state, task.charged, task.faults) == (TaskState.EXECUTING, 0, 0)

    close(team)
    team.policy_text = planned(team, write("a.txt", "a"))
    assert team.run().resting == ()
    assert starts(team)[3] == "write"  # what was thought is not thought again
    assert team.tasks()["A"].attempts == 1
    assert team.tasks()["A"].state is TaskState.DONE
