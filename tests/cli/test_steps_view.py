"""What `git cto show` says of the steps of an attempt."""

from __future__ import annotations

from gitcto.cli.steps_view import step_lines
from gitcto.model.records import Execution, TaskState
from gitcto.model.step_records import Step, StepState


def lines(*steps: Step, strategy: str = "reviewed") -> list[str]:
    attempt = Execution(
        id="x",
        task="A",
        epoch=1,
        attempt=1,
        state=TaskState.FAILED,
        holder="h",
        base="b",
        provider="p",
        role="developer",
        leased_ms=0,
        expires_ms=0,
        strategy=strategy,
        steps=steps,
    )
    return list(step_lines(attempt, 0))


def judged(verdict: str, findings: str, change: str = "c" * 64) -> Step:
    return Step(
        number=2,
        name="review",
        role="reviewer",
        provider="q",
        edits=False,
        state=StepState.ENDED,
        verdict=verdict,  # type: ignore[arg-type]
        findings=findings,
        change=change,
    )


def test_what_a_judge_objected_to_is_shown_and_a_flood_of_it_is_not() -> None:
    told = lines(judged("reject", "too slow\n- major a.py:3: twice"))
    assert told[1].startswith("  step 2 review by q: rejected change cccccccccccc")
    assert told[2:] == ["    too slow", "    - major a.py:3: twice"]
    flood = lines(judged("reject", "\n".join(map(str, range(20)))))
    assert flood[-1] == "    and 12 more lines (`--json` has them)"
    assert len(lines(judged("approve", "fine"))) == 2


def test_why_an_answer_is_no_verdict_is_shown() -> None:
    told = lines(judged("none", "no verdict: there is no JSON in the message", change=""))
    assert told[1].startswith("  step 2 review by q: no verdict, ")
    assert told[2] == "    no verdict: there is no JSON in the message"


def test_of_a_single_worker_only_what_it_used_is_told() -> None:
    one = Step(number=1, name="write", role="writer", provider="p", state=StepState.ENDED)
    assert lines(one, strategy="single_worker") == []
    assert lines(one)[0] == "attempt 1 took the way of reviewed"
