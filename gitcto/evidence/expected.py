"""What a ledger knows of an attempt, and what of a bundle says otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitcto.evidence.account import LedgerLine
from gitcto.evidence.compose import EVENTS
from gitcto.evidence.events import normalized
from gitcto.evidence.manifest import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The facts of one attempt from its ledger.

    ``facts`` must be in the report as they are; ``definitions`` are those of policy's gates, of
    which ``required`` must have judged. ``events`` are the ledger's of this attempt, ``harvest`` is
    the number of the one that took up its work (0 without). ``passed`` is whether it was to land.
    """

    facts: Mapping[str, object]
    definitions: Mapping[str, str]
    required: tuple[str, ...]
    events: tuple[LedgerLine, ...]
    harvest: int
    ended_ms: int
    passed: bool
    signed: bool


def verify_report(report: Mapping[str, Any], expected: Expected) -> list[Refusal]:
    """Return where a report is not about this attempt, or is older than what it is about."""
    return [*_facts(report, expected), *_gates(report, expected), *_fresh(report, expected)]


def verify_expected(
    files: Mapping[str, bytes], report: Mapping[str, Any], expected: Expected
) -> list[Refusal]:
    """Return where a bundle, whole by itself, is not about this attempt or is older than it."""
    return [*verify_report(report, expected), *_events(files[EVENTS], report, expected)]


def _facts(report: Mapping[str, Any], expected: Expected) -> Iterator[Refusal]:
    for key, value in expected.facts.items():
        if report[key] != value:
            yield Refusal(key, f"the evidence has {key} {report[key]!r}, the ledger {value!r}")
    if (report["status"] == "pass") != expected.passed:
        said = "was to land" if expected.passed else "failed"
        yield Refusal("status", f"the evidence says {report['status']}, the attempt {said}")
    if report["signed"] != expected.signed:
        code = "unsigned" if expected.signed else "signature_unexpected"
        yield Refusal(code, "policy names another key than the evidence was signed with")


def _gates(report: Mapping[str, Any], expected: Expected) -> Iterator[Refusal]:
    judged = {gate["gate"]: gate["definition"] for gate in report["gates"]}
    for name, definition in judged.items():
        if expected.definitions.get(name) != definition:
            yield Refusal("gate_definition", f"gate {name} judged under another definition")
    if expected.passed:
        missing = [name for name in expected.required if name not in judged]
        if missing:
            yield Refusal("gate_missing", f"gate {missing[0]} has not judged")


def _fresh(report: Mapping[str, Any], expected: Expected) -> Iterator[Refusal]:
    if report["produced_ms"] < expected.ended_ms:
        yield Refusal("stale_produced", "the evidence is older than the end of the worker")
    if expected.passed and report["events"]["last"] < expected.harvest:
        yield Refusal("stale_events", "the evidence is older than the work")


def _events(raw: bytes, report: Mapping[str, Any], expected: Expected) -> Iterator[Refusal]:
    last = report["events"]["last"]
    known = [one for one in expected.events if one.seq <= last]
    if normalized(report["team"], report["execution"], known) == raw:
        return
    said = {json.loads(line)["seq"] for line in raw.splitlines()}
    lost = [one.seq for one in known if one.seq not in said]
    if lost:
        yield Refusal("event_missing", f"the ledger's event {lost[0]} is not in the evidence")
    else:
        yield Refusal("events_differ", "the ledger has other events than the evidence")
