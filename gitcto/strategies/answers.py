"""What a judge says: one JSON document, read to the letter. Pure.

An answer that is not exactly one is no answer, so that a judge who is cut off, confused or talked
into something by what it reads has approved nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

ANSWER_VERSION = 1
"""The version of an answer."""

MAX_FINDINGS = 1000
"""Most findings in one answer."""

MAX_TEXT = 10_000
"""Longest text in an answer, in characters."""

Severity = Literal["blocker", "major", "minor", "note"]
"""How grave a finding is; only a blocker stands in the way of an approval."""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)

_ANSWER = frozenset({"version", "change", "verdict", "summary", "findings"})
_CHOICE = _ANSWER | {"chosen"}
_FINDING = frozenset({"path", "line", "severity", "message"})


class AnswerError(ValueError):
    """What was written is no answer; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One finding; ``line`` is 0 when it is about the whole file, ``path`` "" when about none."""

    path: str
    line: int
    severity: Severity
    message: str

    def __str__(self) -> str:
        """Return it as one entry of a list: ``blocker a.py:3: …``."""
        line = f":{self.line}" if self.line else ""
        place = f" {self.path}{line}" if self.path else ""
        return f"{self.severity}{place}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict on the change with the id ``change``; ``chosen`` is its seat, where one chooses."""

    change: str
    approved: bool
    summary: str
    remarks: tuple[Remark, ...]
    chosen: str = ""

    @property
    def blockers(self) -> tuple[Remark, ...]:
        """The remarks that stand in the way."""
        return tuple(remark for remark in self.remarks if remark.severity == "blocker")


def parse_answer(data: bytes) -> Answer:
    """Return what a reviewer said; raises :class:`AnswerError` for anything but an answer."""
    return _answer(_read(data), _ANSWER)


def parse_choice(data: bytes) -> Answer:
    """Return what an adjudicator said; raises :class:`AnswerError` for anything but an answer."""
    document = _read(data)
    answer = _answer(document, _CHOICE)
    if answer.approved == (answer.chosen == ""):
        raise AnswerError("it must choose a seat when it approves, and none when it rejects")
    return answer


def answer_schema(seats: tuple[str, ...] = ()) -> Mapping[str, object]:
    """Return the JSON schema of a reviewer's answer, or of a choice between ``seats``.

    Every key is required and no other one is allowed, which is what the strict modes of the models'
    servers ask for.
    """
    text = {"type": "string"}
    finding = {
        "path": text,
        "line": {"type": "integer"},
        "severity": {"type": "string", "enum": list(SEVERITIES)},
        "message": text,
    }
    answer: dict[str, object] = {
        "version": {"type": "integer", "enum": [ANSWER_VERSION]},
        "change": text,
        "verdict": {"type": "string", "enum": ["approve", "reject"]},
        "summary": text,
        "findings": {"type": "array", "items": _object(finding)},
    }
    if seats:
        answer["chosen"] = {"type": "string", "enum": [*seats, ""]}
    return _object(answer)


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _read(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except AnswerError:
        raise
    except (ValueError, RecursionError) as error:
        raise AnswerError("it is not JSON") from error
    if not isinstance(document, dict):
        raise AnswerError("the answer is not an object")
    return document


def _answer(document: dict[str, Any], keys: frozenset[str]) -> Answer:
    _must_have(document, keys, "the answer")
    if type(document["version"]) is not int or document["version"] != ANSWER_VERSION:
        raise AnswerError(f"its version is not {ANSWER_VERSION}")
    if document["verdict"] not in ("approve", "reject"):
        raise AnswerError('its verdict is neither "approve" nor "reject"')
    findings = document["findings"]
    if not isinstance(findings, list) or len(findings) > MAX_FINDINGS:
        raise AnswerError(f"its findings are not a list of at most {MAX_FINDINGS}")
    return Answer(
        change=_text(document, "change"),
        approved=document["verdict"] == "approve",
        summary=_text(document, "summary"),
        remarks=tuple(_remark(each) for each in findings),
        chosen=_text(document, "chosen") if "chosen" in keys else "",
    )


def _remark(finding: Any) -> Remark:
    _must_have(finding, _FINDING, "a finding")
    line, severity = finding["line"], finding["severity"]
    if type(line) is not int or line < 0:
        raise AnswerError("the line of a finding is not a number")
    if severity not in SEVERITIES:
        raise AnswerError(f"the severity of a finding is none of {', '.join(SEVERITIES)}")
    return Remark(
        path=_text(finding, "path"),
        line=line,
        severity=severity,
        message=_text(finding, "message"),
    )


def _must_have(table: Any, keys: frozenset[str], what: str) -> None:
    if not isinstance(table, dict):
        raise AnswerError(f"{what} is not an object")
    for key in sorted(keys ^ table.keys()):
        raise AnswerError(f"{what} {'lacks' if key in keys else 'has an unknown'} {key!a}")


def _text(table: dict[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise AnswerError(f"{key!a} is not a text of at most {MAX_TEXT} characters")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise AnswerError("it says something twice")
    return table


def _no_number(text: str) -> None:
    raise AnswerError(f"it holds {text}")
