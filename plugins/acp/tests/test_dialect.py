"""What real agents said (gemini 0.61, codex-acp 0.16, opencode 1.18), in git-cto's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gitcto_acp.dialect import Turn, events_of, inside, permitted, usage_of, was_cut, with_cost

from gitcto.api import AgentEvent, Usage

SAMPLES = Path(__file__).with_name("samples")


def sample(name: str) -> list[tuple[str, dict[str, Any]]]:
    lines = (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [(one["kind"], one["data"]) for one in map(json.loads, lines)]


def told(name: str, *, edits: bool = True) -> tuple[list[AgentEvent], list[str], Turn]:
    """Return the events of a sample, the answers to its questions, and what was noted."""
    turn, events, answers = Turn(), [], []
    for kind, data in sample(name):
        if kind == "update":
            events += events_of(data, turn)
        elif kind == "request_permission":
            answers.append(permitted(data, turn, edits=edits))
    return events, answers, turn


def kinds(events: list[AgentEvent], *wanted: str) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.name or one.text, one.ok) for one in events if one.kind in wanted]


def test_gemini_edits() -> None:
    events, answers, turn = told("gemini-edit")
    assert answers == ["proceed_once", "proceed_once"]
    assert kinds(events, "edited", "tool_ended") == [
        ("tool_ended", "calc.py", True),
        ("tool_ended", NAME, True),
        ("edited", "/w/wt/ga/calc.py", True),
        ("tool_ended", "Writing to notes/new.md", False),
        (
            "tool_ended",
            "git status --short; python3 -c 'import calc; print(calc.add(2,3))'; exit 3",
            True,
        ),
    ]
    assert (turn.message, turn.edited, turn.denied) == ("Fixed calc.py: add now adds.", True, [])


NAME = "calc.py: return a - b => return a + b"


def test_gemini_is_told_no_and_goes_on() -> None:
    events, answers, turn = told("gemini-deny", edits=False)
    assert set(answers) == {"cancel"}
    assert not kinds(events, "edited")
    assert len(turn.denied) == len(answers) == 3
    assert turn.message == "Fixed calc.py: add now adds."


def test_codex_asks_and_edits() -> None:
    events, answers, turn = told("codex-permission")
    assert answers == ["approved"]
    assert kinds(events, "edited") == [
        ("edited", "/w/wt/ca/notes/new.md", True),
        ("edited", "/w/wt/ca/calc.py", True),
    ]
    failed = [one for one in events if one.kind == "tool_ended" and not one.ok]
    assert len(failed) == 1
    assert turn.message == "Fixed calc.py: add now adds."


def test_codex_is_told_no() -> None:
    _events, answers, turn = told("codex-deny", edits=False)
    assert answers == ["abort"]
    assert turn.denied == ["Edit /w/wt/ca/notes/new.md, /w/wt/ca/calc.py"]
    assert not turn.edited


def test_opencode_is_cancelled_and_counts_its_cost() -> None:
    events, _answers, turn = told("opencode-cancel")
    assert kinds(events, "tool_started", "tool_ended") == [
        ("tool_started", "bash", True),
        ("tool_ended", "echo started; sleep 4242", True),
    ]
    assert turn.cost_micros == 0


def ask(*options: str, kind: str | None = "edit") -> dict[str, Any]:
    call = {"toolCallId": "a", "title": "Do it", "kind": kind}
    shown = [{"optionId": f"o-{each}", "name": "x", "kind": each} for each in options]
    return {"toolCall": call, "options": shown}


@pytest.mark.parametrize(
    ("edits", "asked", "answer", "denied"),
    [
        (True, ask("allow_always", "allow_once", "reject_once"), "o-allow_once", False),
        (True, ask("allow_always", "reject_once"), "o-allow_always", False),
        (True, ask("reject_once"), "", True),
        (True, ask("allow_once", kind=None), "o-allow_once", False),
        (False, ask("allow_once", "reject_always", "reject_once"), "o-reject_once", True),
        (False, ask("allow_once", "reject_always"), "o-reject_always", True),
        (False, ask("allow_once"), "", True),
        (False, ask("allow_once", "reject_once", kind="read"), "o-allow_once", False),
        (False, ask("allow_once", "reject_once", kind="execute"), "o-reject_once", True),
        (False, ask("allow_once", "reject_once", kind=None), "o-reject_once", True),
        (False, ask("allow_once", "reject_once", kind="new"), "o-reject_once", True),
        (False, {}, "", True),
        (True, {"toolCall": 1, "options": "x"}, "", True),
    ],
)
def test_permission_goes_by_kind(
    edits: bool, asked: dict[str, Any], answer: str, denied: bool
) -> None:
    turn = Turn()
    assert permitted(asked, turn, edits=edits) == answer
    assert bool(turn.denied) is denied


def test_a_kind_told_earlier_counts() -> None:
    turn = Turn()
    events_of({"sessionUpdate": "tool_call", "toolCallId": "a", "kind": "read"}, turn)
    assert permitted(ask("allow_once", kind=None), turn, edits=False) == "o-allow_once"


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        (
            {"usage": {"inputTokens": 10, "outputTokens": 3, "thoughtTokens": 2}},
            Usage(input_tokens=10, output_tokens=5, reasoning_tokens=2),
        ),
        (
            {"_meta": {"quota": {"token_count": {"input_tokens": 7, "output_tokens": 1}}}},
            Usage(input_tokens=7, output_tokens=1),
        ),
        ({"usage": {"inputTokens": "x", "outputTokens": -1, "cachedReadTokens": True}}, Usage()),
        ({"usage": 7, "_meta": []}, Usage()),
        ({}, Usage()),
    ],
)
def test_usage(answer: dict[str, Any], usage: Usage) -> None:
    assert usage_of(answer) == usage


@pytest.mark.parametrize(
    ("counted", "cut"),
    [
        ({"input_tokens": 0, "output_tokens": 0}, True),
        ({"input_tokens": 1, "output_tokens": 0}, False),
        ({}, False),
    ],
)
def test_gemini_counts_nothing_of_an_answer_that_was_cut(
    counted: dict[str, int], cut: bool
) -> None:
    assert was_cut({"_meta": {"quota": {"token_count": counted}}}) is cut
    assert not was_cut({"usage": {"inputTokens": 0, "outputTokens": 0}})


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"sessionUpdate": "something_new", "content": 1},
        {"sessionUpdate": "agent_message_chunk", "content": {"type": "image"}},
        {"sessionUpdate": "agent_thought_chunk"},
        {"sessionUpdate": "usage_update", "cost": {"amount": float("nan"), "currency": "USD"}},
        {"sessionUpdate": "usage_update", "cost": {"amount": -1, "currency": "USD"}},
        {"sessionUpdate": "usage_update", "cost": {"amount": 1, "currency": "EUR"}},
    ],
)
def test_what_means_nothing_is_passed_over(update: dict[str, Any]) -> None:
    turn = Turn()
    assert events_of(update, turn) == ()
    assert (turn.message, turn.cost_micros) == ("", None)


def test_words_before_the_last_tool_are_the_message_when_none_follow() -> None:
    turn = Turn()
    events_of({"sessionUpdate": "agent_message_chunk", "content": {"text": "I am done."}}, turn)
    events_of({"sessionUpdate": "tool_call", "toolCallId": "a", "status": "completed"}, turn)
    assert turn.message == "I am done."


def test_paths_are_seen_from_the_workspace() -> None:
    assert inside("/w/a/b.py", "/w") == "a/b.py"
    assert inside("/etc/passwd", "/w") == "/etc/passwd"
    assert inside("a/b.py", "/w") == "a/b.py"


def test_a_cost_replaces_another() -> None:
    usage = Usage(input_tokens=1, cost_micros=5)
    assert with_cost(usage, None) == Usage(input_tokens=1)
    assert with_cost(usage, 7) == Usage(input_tokens=1, cost_micros=7)
