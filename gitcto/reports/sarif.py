"""SARIF 2.1.0, what scanners and reviewers report in. Pure.

Read strictly as far as a verdict depends on it: a report without a run, or of a run that says that
it failed, is no report. What does not count any more (suppressed, absent, not a failure) is left
out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote, unquote

Level = Literal["error", "warning", "note", "none"]
"""How grave a finding is, in SARIF's words."""

LEVELS: tuple[Level, ...] = ("error", "warning", "note", "none")
"""Every level, the gravest first."""

MAX_SARIF_BYTES = 16 << 20
"""Largest report that is read."""

MAX_FINDINGS = 100_000
"""Most findings that are read from one report."""

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_VERSION = "2.1.0"
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class SarifError(ValueError):
    """A report cannot be read, or says of itself that it is not whole: never a green one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result; ``line`` is 0 when it is about the whole file, ``path`` "" when about none.

    ``path`` is relative to the top of the repository as the tool saw it. ``fingerprints`` tell the
    same finding in another version by what does not move with its line.
    """

    rule: str
    level: Level
    message: str
    path: str = ""
    line: int = 0
    fingerprints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def emit_sarif(tool: str, findings: Iterable[Finding]) -> bytes:
    """Return a report of one run of ``tool``; the same findings give the same bytes."""
    found = list(findings)
    rules = {name: at for at, name in enumerate(sorted({each.rule for each in found}))}
    run = {
        "tool": {"driver": {"name": tool, "rules": [{"id": name} for name in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, rules[each.rule]) for each in found],
    }
    report = {"$schema": _SCHEMA, "version": _VERSION, "runs": [run]}
    return json.dumps(report, indent=1, sort_keys=True).encode() + b"\n"


def _result(finding: Finding, rule: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": finding.message},
    }
    if finding.path:
        uri = quote(finding.path.encode("utf-8", "surrogateescape"))
        place: dict[str, object] = {"artifactLocation": {"uri": uri}}
        if finding.line:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    if finding.fingerprints:
        result["partialFingerprints"] = dict(finding.fingerprints)
    return result


def parse_sarif(data: bytes) -> tuple[Finding, ...]:
    """Return the findings that count, in the report's order.

    Raises :class:`SarifError` for what is too large, is not SARIF 2.1.0, has no run, or has a run
    that did not end well.
    """
    if len(data) > MAX_SARIF_BYTES:
        raise SarifError(f"the report is larger than {MAX_SARIF_BYTES >> 20} MiB")
    try:
        report = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SarifError("the report is not JSON") from error
    if not isinstance(report, dict) or report.get("version") != _VERSION:
        raise SarifError(f"the report is not SARIF {_VERSION}")
    runs = _tables(report, "runs")
    if not runs:
        raise SarifError("the report has no run: nothing was looked at")
    found: list[Finding] = []
    for run in runs:
        for finding in _findings(run):
            found.append(finding)
            if len(found) > MAX_FINDINGS:
                raise SarifError(f"the report has more than {MAX_FINDINGS} findings")
    return tuple(found)


def _findings(run: Mapping[str, object]) -> Iterator[Finding]:
    for invocation in _tables(run, "invocations"):
        if invocation.get("executionSuccessful") is not True:
            raise SarifError("the tool says that its run did not end well")
    if not isinstance(run.get("results"), list):
        raise SarifError("a run has no list of results: it did not get that far")
    rules = _tables(_table(_table(run, "tool"), "driver"), "rules")
    for result in _tables(run, "results"):
        if _counts(result):
            yield _finding(result, rules)


def _counts(result: Mapping[str, object]) -> bool:
    """Tell whether a result is a failure that is there, and that nobody has accepted."""
    if result.get("kind", "fail") != "fail" or result.get("baselineState") == "absent":
        return False
    said = [each.get("status", "accepted") for each in _tables(result, "suppressions")]
    return not said or any(status != "accepted" for status in said)


def _finding(result: Mapping[str, object], rules: Sequence[Mapping[str, object]]) -> Finding:
    rule = _rule(result, rules)
    place = _table(next(iter(_tables(result, "locations")), {}), "physicalLocation")
    line = _table(place, "region").get("startLine", 0)
    prints = _table(result, "partialFingerprints")
    return Finding(
        rule=_text(result, "ruleId") or _text(_table(result, "rule"), "id") or _text(rule, "id"),
        level=_level(result, rule),
        message=_text(_table(result, "message"), "text"),
        path=_path(_text(_table(place, "artifactLocation"), "uri")),
        line=line if type(line) is int and line > 0 else 0,
        fingerprints=MappingProxyType({key: str(value) for key, value in prints.items()}),
    )


def _rule(
    result: Mapping[str, object], rules: Sequence[Mapping[str, object]]
) -> Mapping[str, object]:
    """Return what the run says of a result's rule: by its index, or else by its id."""
    index = result.get("ruleIndex", _table(result, "rule").get("index", -1))
    if type(index) is int and 0 <= index < len(rules):
        return rules[index]
    wanted = _text(result, "ruleId")
    return next((rule for rule in rules if wanted and _text(rule, "id") == wanted), {})


def _level(result: Mapping[str, object], rule: Mapping[str, object]) -> Level:
    level = result.get("level")
    if level is None:
        level = _table(rule, "defaultConfiguration").get("level", "warning")
    if level not in LEVELS:
        raise SarifError("a result has a level that SARIF does not know")
    return level


def _path(uri: str) -> str:
    path = unquote(uri, errors="surrogateescape")
    return path if _ABSOLUTE.match(path) else path.removeprefix("./")


def _tables(table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    """Return the list of tables that stands under a key, or none."""
    value = table.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise SarifError(f"{key!r} of the report is not a list of objects")
    return value


def _table(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = table.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SarifError(f"{key!r} of the report is not an object")
    return value


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SarifError(f"{key!r} of the report is not text")
    return value
