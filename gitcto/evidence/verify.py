"""Is this bundle what it says, and is it about this attempt? Everything that is not refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitcto.evidence.canonical import canonical
from gitcto.evidence.compose import (
    EVENTS,
    LOG,
    MARKDOWN,
    PATCH,
    TESTS,
    TRACE,
    Files,
    claims,
    following,
)
from gitcto.evidence.dsse import PAYLOAD_TYPE, Envelope, opened
from gitcto.evidence.events import verify_events
from gitcto.evidence.manifest import MANIFEST, Found, Refusal, listing, verify_files
from gitcto.evidence.report import REPORT, VERSION
from gitcto.evidence.statements import COMPLETION, NAMES, STATEMENT, SUMMARY, envelope_of

ALWAYS = (
    *(REPORT, MARKDOWN, EVENTS, PATCH, LOG, TESTS, TRACE),
    *("raw/stdout.log", "raw/stderr.log"),
    *NAMES,
    *map(envelope_of, NAMES),
)
"""What every bundle has, beside its manifest."""

_CODES = {
    LOG: "test_log",
    TESTS: "ctrf",
    TRACE: "trace",
    MARKDOWN: "report_markdown",
    STATEMENT: "statement_predicate",
    SUMMARY: "vsa",
    COMPLETION: "completion",
}


def verify_bundle(found: Sequence[Found]) -> list[Refusal]:
    """Return why a bundle is not whole by itself; the ledger is asked elsewhere.

    Nobody's word is taken: what follows from something else is made again. An unreadable part ends
    the check, because the rest would follow from it.
    """
    refused = verify_files(found)
    files = {file.path: file.data for file in found}
    refused += [Refusal("artifact_missing", name) for name in ALWAYS if name not in files]
    if refused:
        return refused
    report = read_report(files)
    if isinstance(report, Refusal):
        return [report]
    try:
        refused += _artifacts(report, files)
        if not refused:
            refused += _status(report)
            refused += _envelopes(report, files)
            refused += verify_events(files[EVENTS], report)
            refused += _followed(report, files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        refused.append(Refusal("report_malformed", f"{REPORT} cannot be understood ({error!r})"))
    return refused


def read_report(files: Mapping[str, bytes]) -> dict[str, Any] | Refusal:
    """Return the report of a bundle, or why there is none."""
    raw = files.get(REPORT, b"")
    try:
        report = json.loads(raw)
        if report["v"] != VERSION:
            said = f"{REPORT} has version {report['v']!r}, this git-cto knows {VERSION}"
            return Refusal("report_version", said)
        if canonical(report) + b"\n" != raw:
            return Refusal("report_malformed", f"{REPORT} is not in canonical form")
    except (ValueError, KeyError, TypeError, RecursionError):
        return Refusal("report_malformed", f"{REPORT} is none")
    return dict(report)


def envelopes(files: Mapping[str, bytes]) -> dict[str, Envelope]:
    """Return the envelopes of a bundle that was verified, by the name of the statement."""
    return {name: opened(files[envelope_of(name)]) for name in NAMES}


def _artifacts(report: dict[str, Any], files: Files) -> Iterator[Refusal]:
    made = {*NAMES, *map(envelope_of, NAMES), REPORT, MARKDOWN, MANIFEST}
    rest = {path: data for path, data in files.items() if path not in made}
    if report["artifacts"] != listing(rest):
        yield Refusal("report_artifacts", f"{REPORT} lists other files than there are")
    known = {*ALWAYS}
    for step in report["steps"][1:]:
        known |= {f"raw/step-{step['number']}/{name}.log" for name in ("stdout", "stderr")}
    for gate in report["gates"]:
        known |= {gate["log"], *gate["artifacts"]}
    for path in sorted(rest.keys() - known):
        yield Refusal("artifact_unknown", f"{path} belongs to no gate and to no step")


def _status(report: Mapping[str, Any]) -> Iterator[Refusal]:
    gates = {gate["gate"]: gate for gate in report["gates"]}
    if len(gates) != len(report["gates"]):
        yield Refusal("gate_duplicate", "a gate has two verdicts")
    red = [name for name, gate in gates.items() if gate["status"] != "pass"]
    missing = [name for name in report["required"] if name not in gates]
    blocked = bool(red or missing or report["blockers"] or not report["required"])
    if report["status"] not in {"pass", "fail"} or (report["status"] == "pass") == blocked:
        said = f"{REPORT} says {report['status']}, its gates and blockers say otherwise"
        yield Refusal("status", said)
    if report["status"] != "pass":
        return
    for name, gate in gates.items():
        if gate["change"] not in {"", report["change"]}:
            yield Refusal("gate_change", f"gate {name} judged another change")
        elif not gate["change"] and gate["tree"] != report["tree"]:
            yield Refusal("gate_tree", f"gate {name} judged another tree")
    if not report["nonce"]:
        yield Refusal("nonce", f"{REPORT} has no nonce of the lease")
    if report["produced_ms"] < report["ended_ms"]:
        yield Refusal("stale_produced", "the evidence is older than the end of the worker")


def _followed(report: dict[str, Any], files: Files) -> Iterator[Refusal]:
    outline = {key: value for key, value in report.items() if key != "artifacts"}
    made = following(outline, files)
    first = {entry["path"]: files[entry["path"]] for entry in report["artifacts"]}
    made |= claims(outline, first)
    for path, code in _CODES.items():
        if made[path] != files[path]:
            wrong = Refusal(code, f"{path} does not follow from the report")
            yield _subject(files[path], made[path], path) or wrong


def _subject(found: bytes, made: bytes, path: str) -> Refusal | None:
    """Return the refusal of a statement about something else."""
    if path not in NAMES:
        return None
    try:
        same = json.loads(found)["subject"] == json.loads(made)["subject"]
    except (ValueError, KeyError, TypeError):
        return None
    return None if same else Refusal("statement_subject", f"{path} is about something else")


def _envelopes(report: Mapping[str, Any], files: Files) -> Iterator[Refusal]:
    for name in NAMES:
        path = envelope_of(name)
        try:
            read = opened(files[path])
        except ValueError as error:
            yield Refusal("dsse_malformed", f"{path}: {error}")
            continue
        if read.payload_type != PAYLOAD_TYPE:
            yield Refusal("dsse_type", f"{path} holds {read.payload_type}")
        if read.payload != files[name]:
            yield Refusal("dsse_payload", f"{path} holds another statement than {name}")
        if report["signed"] and not read.signatures:
            yield Refusal("unsigned", f"{path} has no signature")
        if not report["signed"] and read.signatures:
            yield Refusal("signature_unexpected", f"{path} is signed, and policy named no key")
