"""SARIF 2.1.0, what scanners and reviewers write: read as far as a gate needs it, and written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from gitcto.reports.records import MAX_CASES, ReportError, checked, line, within_size

Severity = Literal["none", "note", "warning", "error"]
"""How grave a finding is, the least first."""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~/-]")
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_OPEN_KINDS = frozenset({"fail", "open", "review"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result of a scanner: its rule, where it is, and one line about it.

    ``path`` is relative to the top of the repository, and empty when it is about no file; ``line``
    is 0 when it is about the whole of one. ``fingerprints`` tell the same finding in another
    version by what does not move with its line.
    """

    rule: str
    severity: Severity
    path: str = ""
    line: int = 0
    message: str = ""
    fingerprints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        """Return ``path:line: message (rule)``."""
        place = f"{self.path}:{self.line}: " if self.line else f"{self.path}: " if self.path else ""
        return f"{place}{self.message} ({self.rule})"


def emit_sarif(tool: str, findings: Iterable[Finding]) -> bytes:
    """Return a report of one run of ``tool``; the same findings give the same bytes."""
    found = list(findings)
    rules = {name: at for at, name in enumerate(sorted({each.rule for each in found}))}
    run = {
        "tool": {"driver": {"name": tool, "rules": [{"id": name} for name in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, rules[each.rule]) for each in found],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=1, sort_keys=True).encode() + b"\n"


def _result(finding: Finding, rule: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": finding.message},
    }
    if finding.path:
        place: dict[str, object] = {"artifactLocation": {"uri": _uri(finding.path)}}
        if finding.line:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    if finding.fingerprints:
        result["partialFingerprints"] = dict(finding.fingerprints)
    return result


def parse_sarif(data: bytes) -> tuple[Finding, ...]:
    """Return the open findings of a SARIF report: those that nobody suppressed or accepted.

    Raises ``ReportError``: not JSON, not SARIF, too long, too many results, or a run that says of
    itself that it did not succeed, and which has therefore not looked at everything.
    """
    within_size(data)
    try:
        log = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"is not JSON: {line(str(error))}") from error
    runs = log.get("runs") if isinstance(log, dict) else None
    if not isinstance(runs, list) or not runs:
        raise ReportError('is no SARIF: it has no list "runs"')
    found: list[Finding] = []
    for run in runs:
        found += _findings(_table(run))
        if len(found) > MAX_CASES:
            raise ReportError(f"has more than {MAX_CASES} results")
    return tuple(found)


def _findings(run: dict[str, Any]) -> list[Finding]:
    for invocation in _list(run.get("invocations")):
        if _table(invocation).get("executionSuccessful") is False:
            raise ReportError("is of a scan that did not succeed")
    results = run.get("results")
    if not isinstance(results, list):
        raise ReportError("is of a scan without results, not even an empty list")
    driver = _table(_table(run.get("tool", {})).get("driver", {}))
    rules = [_table(rule) for rule in _list(driver.get("rules"))]
    return [_finding(one, rules) for one in map(_table, results) if _is_open(one)]


def _is_open(result: dict[str, Any]) -> bool:
    """Tell whether a result is a finding that still stands, by SARIF's own rules (3.27)."""
    if result.get("kind", "fail") not in _OPEN_KINDS:
        return False
    if result.get("baselineState") == "absent":
        return False
    suppressions = _list(result.get("suppressions"))
    accepted = (_table(one).get("status", "accepted") == "accepted" for one in suppressions)
    return not (suppressions and all(accepted))


def _finding(result: dict[str, Any], rules: Sequence[dict[str, Any]]) -> Finding:
    rule = _rule(result, rules)
    said = _text(result.get("ruleId")) or _text(_table(result.get("rule", {})).get("id"))
    locations = _list(result.get("locations"))
    physical = _table(_table(locations[0] if locations else {}).get("physicalLocation", {}))
    start = _table(physical.get("region", {})).get("startLine", 0)
    default = _table(rule.get("defaultConfiguration", {})).get("level", "warning")
    level = result.get("level", default)
    uri = _text(_table(physical.get("artifactLocation", {})).get("uri"))
    prints = _table(result.get("partialFingerprints", {}))
    return Finding(
        rule=checked("rule's name", said or _text(rule.get("id")) or "no rule"),
        severity=level if level in SEVERITIES else "error",
        path=checked("path", _path(uri)),
        line=start if type(start) is int and start > 0 else 0,
        message=line(_text(_table(result.get("message", {})).get("text"))),
        fingerprints=MappingProxyType({key: _text(value) for key, value in prints.items()}),
    )


def _rule(result: dict[str, Any], rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the run says of a result's rule: by its index, or else by its id."""
    reference = _table(result.get("rule", {}))
    index = result.get("ruleIndex", reference.get("index", -1))
    if type(index) is int and 0 <= index < len(rules):
        return rules[index]
    name = _text(result.get("ruleId")) or _text(reference.get("id"))
    return next((rule for rule in rules if name and _text(rule.get("id")) == name), {})


def _uri(path: str) -> str:
    raw = path.encode("utf-8", "surrogateescape")
    return _UNSAFE.sub(lambda match: b"%%%02X" % match[0][0], raw).decode()


def _path(uri: str) -> str:
    raw = uri.encode("utf-8", "surrogatepass")
    path = _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), raw)
    return path.decode("utf-8", "surrogateescape").removeprefix("./")


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ReportError("is no SARIF: something that must be a table is none")
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
