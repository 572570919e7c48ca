"""What a reviewer says: one JSON document, read to the letter. Pure.

An answer that is not exactly one is no answer, so that a reviewer who is cut off, confused or
talked into something by what it reads has approved nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

VERSION = 1
"""The version of request and answer."""

MAX_FINDINGS = 1000
"""Most findings in one answer."""

MAX_TEXT = 10_000
"""Longest text in an answer, in characters."""

Severity = Literal["blocker", "major", "minor", "note"]
"""How grave a finding is; only a blocker stands in the way of an approval."""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)

_ANSWER = frozenset({"version", "change", "verdict", "summary", "findings"})
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verdict on the change with the id ``change``."""

    change: str
    approved: bool
    summary: str
    remarks: tuple[Remark, ...]

    @property
    def blockers(self) -> tuple[Remark, ...]:
        """The remarks that stand in the way."""
        return tuple(remark for remark in self.remarks if remark.severity == "blocker")


def parse_answer(data: bytes) -> Answer:
    """Return what a reviewer said; raises :class:`AnswerError` for anything but an answer."""
    try:
        document = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except AnswerError:
        raise
    except (ValueError, RecursionError) as error:
        raise AnswerError("it is not JSON") from error
    _must_have(document, _ANSWER, "the answer")
    if type(document["version"]) is not int or document["version"] != VERSION:
        raise AnswerError(f"its version is not {VERSION}")
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
