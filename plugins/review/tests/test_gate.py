"""What a reviewer is told, and what its answer means."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_review.gate import ReviewGate

from gitcto.api import Change, CommandResult, CtoError, GateContext, TaskSpec, parse_sarif
from gitcto.testing import gate_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gitcto.api import GateResult

BLOCKER = {"path": "a.py", "line": 3, "severity": "blocker", "message": "It is wrong."}
NOTE = {"path": "", "line": 0, "severity": "note", "message": "Fine otherwise."}
ARGV = ["reviewer", "{answer}", "{request}", "{patch}"]


def context_of(tmp_path: Path, **facts: Any) -> GateContext:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "scratch").mkdir()
    return gate_context(
        **{
            "change": "c1",
            "checkout": tmp_path / "checkout",
            "scratch": tmp_path / "scratch",
            "patch": lambda: b"the patch",
            "settings": {"argv": ARGV},
            **facts,
        }
    )


def answering(answer: bytes, code: int | None = 0) -> Callable[[Sequence[str], float], Any]:
    """Return a reviewer that writes this."""

    def run(argv: Sequence[str], _deadline_s: float) -> CommandResult:
        with open(argv[1], "wb") as file:  # noqa: PTH123
            file.write(answer)
        return CommandResult(code=code, output=b"thinking\nlast words\n")

    return run


def said(verdict: str, *findings: dict[str, Any], change: str = "c1") -> bytes:
    return json.dumps(
        {
            "version": 1,
            "change": change,
            "verdict": verdict,
            "summary": "In short.",
            "findings": findings,
        }
    ).encode()


def judged(tmp_path: Path, answer: bytes, code: int | None = 0) -> GateResult:
    return ReviewGate().judge(context_of(tmp_path, run=answering(answer, code)))


@pytest.mark.parametrize(
    ("answer", "status", "reason", "detail"),
    [
        (said("approve"), "pass", "approved", "In short."),
        (said("approve", NOTE), "pass", "approved", "In short."),
        (said("reject"), "fail", "rejected", "In short."),
        (said("reject", NOTE, BLOCKER), "fail", "rejected", "'a.py':3 It is wrong."),
        (
            said("approve", BLOCKER),
            "fail",
            "contradictory",
            "approved with a blocker: 'a.py':3 It is wrong.",
        ),
    ],
)
def test_what_an_answer_means(
    tmp_path: Path, answer: bytes, status: str, reason: str, detail: str
) -> None:
    result = judged(tmp_path, answer)
    assert (result.status, result.reason, result.detail) == (status, reason, detail)
    assert result.log == b"thinking\nlast words\n"


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_gascity_packs_235_a_verdict_on_another_change_says_nothing_of_this_one(
    tmp_path: Path, verdict: str
) -> None:
    result = judged(tmp_path, said(verdict, change="c2"))
    assert (result.status, result.reason) == ("not_run", "other_change")
    assert result.detail == "the answer is about 'c2', and the change is 'c1'"


def test_a_change_without_an_id_cannot_be_approved(tmp_path: Path) -> None:
    context = context_of(tmp_path, change="", run=answering(said("approve", change="")))
    assert ReviewGate().judge(context).reason == "other_change"


@pytest.mark.parametrize(
    "answer",
    [b"", b"LGTM", said("approve") + b"x", said("approve").replace(b"{", b'{"sure": true, ', 1)],
)
def test_what_is_no_answer_is_no_verdict(tmp_path: Path, answer: bytes) -> None:
    result = judged(tmp_path, answer)
    assert (result.status, result.reason) == ("not_run", "no_verdict")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(None, "deadline"), (126, "cannot_run"), (127, "cannot_run"), (1, "reviewer_failed")],
)
def test_an_approval_of_a_reviewer_that_failed_is_none(
    tmp_path: Path, code: int | None, reason: str
) -> None:
    result = judged(tmp_path, said("approve"), code)
    assert (result.status, result.reason) == ("not_run", reason)


@pytest.mark.parametrize(
    "program",
    [
        "",
        "import os, sys; os.mkfifo(sys.argv[1])",
        "import os, sys; os.mkdir(sys.argv[1])",
        "import os, sys; os.symlink(os.path.abspath('approval'), sys.argv[1])",
        "import sys; open(sys.argv[1], 'w').write('x' * ((1 << 20) + 1))",
    ],
)
def test_an_answer_is_a_regular_file_of_bounded_size(tmp_path: Path, program: str) -> None:
    argv = [sys.executable, "-c", program, "{answer}"]
    context = context_of(tmp_path, settings={"argv": argv})
    (tmp_path / "checkout" / "approval").write_bytes(said("approve"))
    result = ReviewGate().judge(context)
    assert (result.status, result.reason) == ("not_run", "no_verdict")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_answer_of_before_is_not_found_again(tmp_path: Path) -> None:
    places = []

    def run(argv: Sequence[str], deadline_s: float) -> CommandResult:
        places.append(argv[1])
        return answering(said("approve"))(argv, deadline_s)

    context = context_of(tmp_path, run=run)
    assert [ReviewGate().judge(context).status for _ in range(2)] == ["pass", "pass"]
    assert len(set(places)) == 2, "not even what a killed run left can be in the way"
    silent = replace(context, run=lambda _argv, _deadline_s: CommandResult(code=0, output=b""))
    assert ReviewGate().judge(silent).reason == "no_verdict"


def test_the_reviewer_is_told_what_the_change_is_meant_to_be(tmp_path: Path) -> None:
    told = {}

    def run(argv: Sequence[str], deadline_s: float) -> CommandResult:
        for name, path in zip(("request", "patch"), argv[2:], strict=True):
            with open(path, "rb") as file:  # noqa: PTH123
                told[name] = file.read()
        return answering(said("approve"))(argv, deadline_s)

    task = TaskSpec(id="T-1", title="Say hello", prompt="Do.", tier="P0", paths=("src/**",))
    change = Change(status="A", path="src/ü\udcff", mode="100644")
    context = context_of(tmp_path, run=run, task=task, changes=(change,), message="T-1: Say hello")
    assert ReviewGate().judge(context).status == "pass"
    assert told["patch"] == b"the patch"
    assert json.loads(told["request"]) == {
        "version": 1,
        "change": "c1",
        "task": {"id": "T-1", "title": "Say hello", "prompt": "Do."},
        "policy": {"tier": "P0", "paths": ["src/**"]},
        "message": "T-1: Say hello",
        "paths": [{"path": "src/ü\udcff", "status": "A"}],
    }


def test_findings_are_kept_as_sarif(tmp_path: Path) -> None:
    found = parse_sarif(judged(tmp_path, said("reject", BLOCKER, NOTE)).artifacts["review.sarif"])
    assert [(each.rule, each.severity, each.path, each.line) for each in found] == [
        ("review/blocker", "error", "a.py", 3),
        ("review/note", "note", "", 0),
    ]


def test_what_a_reviewer_says_stays_on_one_line(tmp_path: Path) -> None:
    hostile = {**BLOCKER, "path": "a\n\x1b[31m", "message": "x\n\x1b[2J" + "y" * 5000}
    detail = judged(tmp_path, said("reject", hostile)).detail
    assert detail.isprintable()
    assert len(detail) <= 300


def test_without_a_reviewer_nothing_is_green() -> None:
    assert ReviewGate().judge(gate_context()).reason == "no_reviewer"
    result = ReviewGate().judge(gate_context(settings={"argv": ARGV}))
    assert (result.status, result.reason) == ("not_run", "no_scratch")


@pytest.mark.parametrize(
    "settings",
    [
        {"argv": "reviewer {answer}"},
        {"argv": ["reviewer"]},
        {"argv": ["reviewer", "{{answer}}"]},
        {"argv": ["", "{answer}"]},
        {"argv": ["reviewer", "{answer}", "{change}"]},
        {"argv": ["reviewer", "{answer"]},
        {"model": "x"},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(CtoError, match="gate review: ") as caught:
        ReviewGate().judge(gate_context(settings=settings))
    assert caught.value.hint
