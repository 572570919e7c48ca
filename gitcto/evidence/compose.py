"""From an account to the files of a bundle. Each file but the first ones follows from the others.

That is what makes a bundle hard to forge and easy to check: :mod:`gitcto.evidence.verify` makes
again what follows, and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitcto.evidence.account import Account
from gitcto.evidence.canonical import canonical
from gitcto.evidence.ctrf import ctrf
from gitcto.evidence.dsse import Signature, envelope
from gitcto.evidence.events import normalized
from gitcto.evidence.manifest import check_path, listing
from gitcto.evidence.report import REPORT, gate_file, gate_log, markdown, outline
from gitcto.evidence.statements import NAMES, envelope_of, statements
from gitcto.evidence.trace import trace

PATCH, EVENTS, LOG = "patch.diff", "events.normalized.jsonl", "test.log"
MARKDOWN, TRACE, TESTS = "report.md", "trace.jsonl", "tests.ctrf.json"

Files = dict[str, bytes]


def files_of(account: Account) -> Files:
    """Return everything but envelopes and manifest.

    Raises ``ValueError`` when a gate's file has a name that no bundle can hold.
    """
    first = _first(account)
    said = outline(account)
    first |= following(said, first)
    return first | claims(said, first)


def sealed(files: Mapping[str, bytes], signatures: Mapping[str, tuple[Signature, ...]]) -> Files:
    """Add the statements' envelopes, with their signatures if there are any."""
    closed = {envelope_of(name): envelope(files[name], signatures.get(name, ())) for name in NAMES}
    return {**files, **closed}


def following(report: Mapping[str, Any], files: Mapping[str, bytes]) -> Files:
    """Return what follows from a report, and from what gates printed and left."""
    return {LOG: _log(report, files), TESTS: ctrf(report, files), TRACE: trace(report)}


def claims(report: Mapping[str, Any], files: Mapping[str, bytes]) -> Files:
    """Return the report with the list of ``files``, for a person too, and its statements."""
    whole = {**report, "artifacts": listing(files)}
    reports = {REPORT: canonical(whole) + b"\n", MARKDOWN: markdown(whole)}
    return reports | statements(whole, reports)


def _first(account: Account) -> Files:
    """Return the files that follow from nothing."""
    files = {
        PATCH: account.patch,
        EVENTS: normalized(account.team, account.execution.id, account.events),
    }
    files |= {f"raw/{name}.log": raw.data for name, raw in account.raw.items()}
    for one in account.gates:
        gate = one.verdict.gate
        if one.log:
            files[gate_log(gate)] = one.log
        files |= {gate_file(gate, name): data for name, data in one.artifacts.items()}
    for path in files:
        check_path(path)
    return files


def _log(report: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    parts = []
    for gate in report["gates"]:
        again = ", reused" if gate["reused"] else ""
        head = f"===== {gate['gate']}: {gate['status']} ({gate['reason']}{again}) =====\n"
        said = files[gate["log"]] if gate["log"] else b""
        end = b"" if not said or said.endswith(b"\n") else b"\n"
        parts += [head.encode(), said, end]
    return b"".join(parts)
