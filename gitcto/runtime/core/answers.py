"""What the last words of a step that only reads come to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitcto.model.step_records import MAX_FINDINGS, Asks, Step, StepVerdict
from gitcto.strategies.answers import answer_schema
from gitcto.strategies.drafting import draft_schema
from gitcto.strategies.verdicts import NoVerdict, read_choice, read_verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a step that reads said: findings, and a verdict on ``change`` if it was asked."""

    findings: str
    verdict: StepVerdict = ""
    change: str = ""
    chosen: str = ""


def schema_of(asks: Asks, seats: Iterable[str]) -> bytes:
    """Return the JSON schema of an answer; nothing for a step that may answer as it likes."""
    if asks == "work":
        return b""
    of = tuple(seats) if asks == "choice" else ()
    schema = draft_schema() if asks == "plan" else answer_schema(of)
    return json.dumps(schema, indent=1).encode() + b"\n"


def said_by(step: Step, message: str, changes: Mapping[str, str]) -> Said:
    """Return what the last words of a step come to; ``changes`` are the ids it read, by seat.

    An answer that is no verdict is one that refuses: ``none``.
    """
    if step.asks == "work":
        return Said(findings=_bounded(message))
    only = next(iter(changes.values())) if len(changes) == 1 else ""
    read = read_choice(message, changes) if step.asks == "choice" else read_verdict(message, only)
    if isinstance(read, NoVerdict):
        return Said(findings=_bounded(f"no verdict: {read.why}"), verdict="none", change=only)
    return Said(
        findings=read.findings, verdict=read.verdict, change=read.change, chosen=read.chosen
    )


def _bounded(text: str) -> str:
    text = "".join(c if c.isprintable() or c == "\n" else "?" for c in text.strip())
    return text if len(text) <= MAX_FINDINGS else f"{text[: MAX_FINDINGS - 1]}…"
