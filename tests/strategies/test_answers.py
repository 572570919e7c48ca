from __future__ import annotations

import json
from typing import Any

import pytest

from gitcto.strategies.answers import Answer, AnswerError, Remark, parse_answer

FINDING = {"path": "a.py", "line": 3, "severity": "major", "message": "Hm."}
ANSWER = {
    "version": 1,
    "change": "c1",
    "verdict": "approve",
    "summary": "Fine.",
    "findings": [FINDING],
}


def data(**changes: Any) -> bytes:
    return json.dumps({**ANSWER, **changes}).encode()


def test_an_answer_is_read() -> None:
    assert parse_answer(data()) == Answer(
        change="c1",
        approved=True,
        summary="Fine.",
        remarks=(Remark(path="a.py", line=3, severity="major", message="Hm."),),
    )
    assert not parse_answer(data(verdict="reject", findings=[])).approved


def without(key: str) -> bytes:
    return json.dumps({name: value for name, value in ANSWER.items() if name != key}).encode()


def finding(**changes: Any) -> bytes:
    return data(findings=[{**FINDING, **changes}])


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"approve",
        b'"approve"',
        b"[]",
        b"\xff",
        b"[" * 100_000,
        data() + b"\n" + data(),
        data(confidence=0.9),
        data(version=2),
        data(version=True),
        data(version=1.0),
        data(verdict="Approve"),
        data(verdict="approved"),
        data(verdict=True),
        data(verdict=["approve"]),
        data(change=None),
        data(summary=3),
        data(summary="x" * 10_001),
        data(findings={}),
        data(findings=[None]),
        data(findings=[FINDING] * 1001),
        finding(severity="critical"),
        finding(severity=["blocker"]),
        finding(line=-1),
        finding(line=True),
        finding(line="3"),
        finding(path=None),
        finding(why="x"),
        data(findings=[{"path": "a.py", "line": 1, "severity": "note"}]),
        data().replace(b'"line": 3', b'"line": NaN'),
        data().replace(b'"verdict"', b'"verdict": "reject", "verdict"'),
        *(without(key) for key in ANSWER),
    ],
)
def test_what_is_not_exactly_an_answer_is_none(bad: bytes) -> None:
    with pytest.raises(AnswerError):
        parse_answer(bad)
