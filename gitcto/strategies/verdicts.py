"""A judge's verdict in its last message, bound to what it read. Pure.

Where the JSON stands is taken lightly: it is the whole message, or its last fenced block. What it
says is not: anything but a whole answer about the very change that was read is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from gitcto.model.step_records import MAX_FINDINGS
from gitcto.strategies.answers import Answer, AnswerError, parse_answer, parse_choice

MAX_MESSAGE = 1 << 20
"""Longest message that is looked at, in characters."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([A-Za-z0-9_+-]*)[ \t]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewVerdict:
    """What a judge said of the change with the id ``change``.

    ``chosen`` is the change's seat where it chose between several. ``findings`` is bounded text.
    """

    verdict: Literal["approve", "reject"]
    change: str
    findings: str
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """Why a message is no verdict, in one line."""

    why: str


def read_verdict(message: str, change: str) -> ReviewVerdict | NoVerdict:
    """Return a reviewer's verdict on ``change``. Who approves with a blocker has rejected."""
    return _read(message, parse_answer, {"": change})


def read_choice(message: str, changes: Mapping[str, str]) -> ReviewVerdict | NoVerdict:
    """Return an adjudicator's choice; ``changes`` maps each seat that it read to its change."""
    return _read(message, parse_choice, changes)


def json_in(message: str) -> str:
    """Return the whole message if it is an object, else its last fenced block; empty for none."""
    if len(message) > MAX_MESSAGE:
        return ""
    whole = message.strip()
    return whole if whole.startswith("{") else _last_block(whole)


def _read(
    message: str, parse: Callable[[bytes], Answer], changes: Mapping[str, str]
) -> ReviewVerdict | NoVerdict:
    text = json_in(message)
    if not text:
        return NoVerdict("there is no JSON in the message")
    try:
        answer = parse(text.encode("utf-8", "replace"))
    except AnswerError as error:
        return NoVerdict(f"this is no answer: {error}")
    expected = changes.get(answer.chosen)
    known = answer.change in changes.values() if expected is None else answer.change == expected
    if not answer.change or not known or (answer.chosen and expected is None):
        return NoVerdict(f"it is about {answer.change[:64]!a}, which was not what it read")
    good = answer.approved and not answer.blockers
    return ReviewVerdict(
        verdict="approve" if good else "reject",
        change=answer.change,
        findings=_findings(answer),
        chosen=answer.chosen if good else "",
    )


def _findings(answer: Answer) -> str:
    """Return summary and findings as text, the gravest first, within what a step can hold."""
    grave = {"blocker": 0, "major": 1, "minor": 2, "note": 3}
    remarks = sorted(answer.remarks, key=lambda remark: grave[remark.severity])
    text = "\n".join([answer.summary, *(f"- {remark}" for remark in remarks)]).strip()
    text = "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
    return text if len(text) <= MAX_FINDINGS else f"{text[: MAX_FINDINGS - 1]}…"


def _last_block(text: str) -> str:
    """Return what the last closed fence holds; one that is never closed was cut off."""
    block, opened = "", ""
    lines: list[str] = []
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if opened and fence and fence[1].startswith(opened) and not fence[2]:
            block, opened = "\n".join(lines), ""
        elif opened:
            lines.append(line)
        elif fence:
            opened, lines = fence[1], []
    return "" if opened else block
