"""Attempts of several steps, with real processes: written, reviewed, chosen between, refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from gitcto.errors import CtoError
from gitcto.model.commands import Refusal
from gitcto.model.lease_commands import StopTask
from gitcto.model.mail_commands import SendMail
from gitcto.model.records import TaskState
from gitcto.model.step_events import StepStarted
from tests.evidence.test_runs import refusals, report_of
from tests.runtime.team.conftest import die_at

LETTER = SendMail(
    sender="person:ada@box",
    recipient="task:A",
    key="1",
    subject="one more thing",
    body="please add a letter",
)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_written_and_approved_lands(steps: Any) -> None:
    steps.policy("write", "approve")
    steps.plan()
    steps.team.run()
    assert steps.team.landed() == ["A"]
    written, reviewed = steps.steps()
    assert (written.name, written.edits, written.seat) == ("write", True, "main")
    assert (reviewed.name, reviewed.edits, reviewed.verdict) == ("review", False, "approve")
    assert reviewed.reads == {"main": written.commit}
    assert reviewed.change == written.change != ""
    assert reviewed.findings == "round 1 is done: 'round 1 new without'"
    kinds = steps.team.told.kinds()
    assert kinds.index("step.started") < kinds.index("execution.started")
    assert kinds.count("execution.exited") == 1
    assert any("approved" in note for note in steps.team.told.notes)
    attempt = steps.execution()
    assert refusals(steps.team, attempt) == []
    report = report_of(steps.team, attempt)
    assert [step["name"] for step in report["steps"]] == ["write", "review"]
    assert report["steps"][1]["findings"] == reviewed.findings
    steps.team.assert_clean()


def test_a_rejected_change_is_written_again_with_what_was_found(steps: Any) -> None:
    steps.policy("write", "reject-first")
    steps.plan()
    steps.team.run()
    assert steps.team.landed() == ["A"]
    assert [step.name for step in steps.steps()] == ["write", "review", "write", "review"]
    assert [step.verdict for step in steps.steps()] == ["", "reject", "", "approve"]
    assert steps.steps()[2].told == (2,)
    assert steps.team.show("work.txt") == "round 2 told without"
    steps.team.assert_clean()


@pytest.mark.parametrize(
    ("reviewer", "reason", "verdict"),
    [
        ("reject", "rejected", "reject"),
        ("babble", "no_verdict", "none"),
        ("meddle", "worker_refused", ""),
        ("meddle-there", "worker_refused", ""),
    ],
)
def test_nothing_lands_that_nobody_approved(
    steps: Any, reviewer: str, reason: str, verdict: str
) -> None:
    steps.policy("write", reviewer)
    steps.plan()
    steps.team.run()
    task = steps.team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.FAILED_TERMINAL, reason)
    assert steps.steps()[-1].verdict == verdict
    assert "write by writer" in task.detail
    assert steps.team.landed() == []
    [kept] = steps.team.preserved()
    assert steps.team.show("main.txt", kept) == "mine"
    steps.team.assert_clean()


def test_nobody_judges_what_it_wrote_itself(steps: Any) -> None:
    steps.policy("write", "approve")
    text = steps.team.policy_text
    steps.team.policy_text = text.replace('reviewer = "reviewer"', 'reviewer = "writer"')
    steps.plan()
    with pytest.raises(CtoError, match="'writer' alone is 'reviewer' of reviewed, and wrote it"):
        steps.team.run()
    either = 'reviewer = ["writer", "gone"]'
    steps.team.policy_text = text.replace('reviewer = "reviewer"', either)
    steps.team.run()
    assert steps.team.landed() == []
    decision = steps.execution().steps[-1]
    assert (decision.name, decision.provider) == ("review", "")
    assert "it wrote what would be judged" in decision.fault.detail


def test_nobody_is_asked_beside_a_judge_without_whom_it_is_over(steps: Any) -> None:
    steps.policy("write", "approve", "twice")
    steps.plan()
    steps.team.run()
    assert steps.team.landed() == []
    assert [(step.name, step.provider) for step in steps.steps()] == [
        ("write", "writer"),
        ("review", ""),
    ]


def test_a_writer_that_says_done_and_changes_nothing_has_failed(steps: Any) -> None:
    steps.policy("nothing", "approve")
    steps.plan()
    steps.team.run()
    assert steps.team.tasks()["A"].reason == "worker_empty"
    [step] = steps.steps()
    assert step.fault is not None
    assert step.fault.kind == "empty"


@pytest.mark.parametrize(("chosen", "loser"), [("main", "second"), ("second", "main")])
def test_of_two_writers_one_lands_and_the_other_is_kept(
    steps: Any, chosen: str, loser: str
) -> None:
    steps.policy("write", f"choose-{chosen}", "dual")
    steps.plan()
    steps.team.run()
    assert steps.team.landed() == ["A"]
    assert steps.team.show(f"{chosen}.txt") == "mine"
    execution = steps.execution()
    assert [step.seat for step in execution.steps] == ["main", "second", "choose"]
    assert execution.steps[2].chosen == chosen
    [kept] = steps.team.preserved()
    assert kept == f"refs/cto/teams/main/preserved/{execution.id}.{loser}"
    assert steps.team.show(f"{loser}.txt", kept) == "mine"
    assert execution.beside == {kept: steps.team.git("rev-parse", kept)}
    steps.team.assert_clean()


def test_two_writers_take_two_places_among_the_workers(steps: Any) -> None:
    steps.policy("write", "choose-main", "dual", workers=1)
    steps.plan()
    steps.team.run()
    assert steps.team.landed() == ["A"]
    kinds = [kind for kind in steps.team.told.kinds() if kind.startswith("step.")]
    assert kinds == ["step.started", "step.ended"] * 3


@pytest.mark.parametrize(
    ("point", "passing"),
    [
        ("attempt.leased", 1),
        ("attempt.pinned", 1),
        ("attempt.room", 1),
        ("attempt.kept", 1),
        ("step.recorded", 1),
        ("attempt.pinned", 2),
        ("attempt.room", 2),
        ("step.recorded", 2),
        ("attempt.kept", 3),
        ("step.recorded", 3),
        ("attempt.kept", 4),
    ],
)
def test_killed_at_any_step_the_next_run_goes_on_and_repeats_nothing(
    steps: Any, point: str, passing: int
) -> None:
    steps.policy("write", "reject-first")
    steps.plan()
    assert die_at(steps.team, point, passing) == -9
    before = steps.execution()
    done = [step for step in before.steps if not step.runs]
    steps.team.run()
    assert steps.team.landed() == ["A"]
    assert steps.team.show("work.txt") == "round 2 told without"
    after = steps.execution()
    if before.state is not TaskState.DISPATCHING:
        assert after.id == before.id
        assert list(after.steps[: len(done)]) == done
        assert len(after.steps) == 4
    steps.team.assert_clean()


def test_a_stop_during_a_review_keeps_the_work_and_starts_no_further_step(steps: Any) -> None:
    steps.policy("write", "wait")
    steps.plan()
    waits = steps.team.root / "waits"

    def stop(event: Any) -> None:
        if event.body.number == 2:
            wait_until(waits.exists)
            with steps.team.ledger() as ledger:
                ledger.transact(StopTask(task="A", reason="not now"))

    steps.team.told.on["step.started"] = lambda event: Thread(target=stop, args=(event,)).start()
    steps.team.run()
    task = steps.team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.BLOCKED, "stopped")
    assert [step.name for step in steps.steps()] == ["write", "review"]
    assert steps.steps()[1].fault is not None
    [kept] = steps.team.preserved()
    assert steps.team.show("main.txt", kept) == "mine"
    steps.team.assert_clean()


def test_nothing_is_written_through_links_that_a_worker_has_left(steps: Any) -> None:
    """What writes for the second round is git-cto itself, which no sandbox keeps in."""
    steps.policy("plant", "reject-first")
    victim = steps.team.root / "victim"
    victim.write_text("mine")
    steps.plan()
    steps.team.run()
    assert [step.fault for step in steps.steps()] == [None] * 4
    assert victim.read_text() == "mine"


def test_a_letter_that_came_after_the_writers_end_is_read_in_a_further_step(steps: Any) -> None:
    steps.policy("write", "wait")
    steps.plan()
    waits = steps.team.root / "waits"

    def send(event: Any) -> None:
        if event.body.number == 2:
            wait_until(waits.exists)
            with steps.team.ledger() as ledger:
                answer = ledger.transact(LETTER)
            assert not isinstance(answer, Refusal)
            steps.go()

    steps.team.told.on["step.started"] = lambda event: Thread(target=send, args=(event,)).start()
    steps.team.run()
    assert steps.team.landed() == ["A"]
    names = [(step.name, step.why, step.replaces) for step in steps.steps()]
    assert names == [
        ("write", "first", 0),
        ("review", "first", 0),
        ("write", "mail", 1),
        ("review", "first", 0),
    ]
    assert steps.team.show("work.txt") == "round 2 new with a letter"
    with steps.team.ledger() as ledger:  # also who goes on is decided: it may be revoked by then
        bodies = [stored.event.body for stored in ledger.events(task="A")]
    decided = [each.decision for each in bodies if isinstance(each, StepStarted)]
    assert [decision and decision.verdict for decision in decided] == ["allow"] * 4
    steps.team.assert_clean()
