from __future__ import annotations

from typing import Any

import pytest
from gitcto_commit_format.gate import CommitFormatGate

from gitcto.api import CtoError
from gitcto.testing import gate_context

GOOD = "T-1: Say hello\n\nCto-Task: T-1\nCto-Execution: 01e\n"


def judged(message: str, **settings: Any) -> str:
    context = gate_context(message=message, execution="01e", settings=settings)
    result = CommitFormatGate().judge(context)
    return result.reason if result.status == "fail" else result.status


@pytest.mark.parametrize(
    "message",
    [
        GOOD,
        GOOD.replace("hello\n", "hello\n\nWhy: because.\n\nA body.\n"),
        GOOD.replace("Cto-Task", "cto-task"),
        GOOD.replace("Cto-Task", "Co-authored-by: Bob <b@example.com>\nCto-Task"),
        GOOD + "Cto-Tier: P1\n",
        GOOD + "Cto-Tier: P1\nCto-Gates: paths, tests\nCto-Evidence: 01\n",
        GOOD.rstrip("\n"),
    ],
)
def test_good_messages_pass(message: str) -> None:
    assert judged(message) == "pass"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("", "no_task_id"),
        (GOOD.replace("T-1: ", "T-2: ", 1), "no_task_id"),
        (GOOD.replace("T-1: ", "T-1 ", 1), "no_task_id"),
        (GOOD.replace("Say hello", "  "), "no_summary"),
        (GOOD.replace("Say", "Say\x1b[31m"), "control_character"),
        (GOOD.replace("Say", "S" * 100), "too_long"),
        (GOOD.replace("\n\n", "\n"), "no_blank_line"),
        ("T-1: Say hello", "bad_trailer"),
        (GOOD.replace("Task: T-1", "Task: T-2"), "bad_trailer"),
        (GOOD.replace("01e", "01f"), "bad_trailer"),
        (GOOD + "Cto-Execution: 01e\n", "bad_trailer"),
        (GOOD + "Cto-Tier: P2\n", "bad_trailer"),
        (GOOD + "Cto-Tier: P1\nCto-Tier: P1\n", "bad_trailer"),
        (GOOD + "\nA last paragraph.\n", "bad_trailer"),
    ],
)
def test_bad_messages_are_refused_with_their_reason(message: str, reason: str) -> None:
    assert judged(message) == reason


def test_the_limit_is_a_setting() -> None:
    assert judged(GOOD.replace("Say", "S" * 20), max_subject=20) == "too_long"
    with pytest.raises(CtoError, match="max_subject must be a number"):
        judged(GOOD, max_subject=True)
    with pytest.raises(CtoError, match="unknown key 'max'"):
        judged(GOOD, max=1)
