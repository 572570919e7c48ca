"""JUnit's XML, as pytest, Maven, Gradle, gotestsum, jest and many others write it.

There is no standard; what is read is what they agree on: ``testcase`` elements, somewhere below
``testsuites`` or ``testsuite``, that hold ``failure``, ``error`` or ``skipped`` when they did not
pass. A document type is refused as soon as it begins, so that no entity is ever expanded.
"""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

from gitcto.reports.records import (
    MAX_CASES,
    MAX_DEPTH,
    Case,
    Report,
    ReportError,
    Status,
    checked,
    line,
    within_size,
)

_ROOTS = frozenset({"testsuites", "testsuite"})
_ENDINGS: dict[str, Status] = {"failure": "failed", "error": "failed", "skipped": "skipped"}
_DAY_S = 86_400.0


def parse_junit(data: bytes) -> Report:
    """Return what a JUnit XML report says.

    Raises ``ReportError``: not well-formed, a document type or entity, not JUnit, too long, too
    deep, too many tests, or counts that speak of failures when no test is named that failed.
    """
    within_size(data)
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ReportError(f"is not well-formed XML: {error}") from error
    except (LookupError, ValueError) as error:
        raise ReportError(f"is in an encoding that is not understood: {error}") from error
    return reader.report()


def _refuse_doctype(*_about: object) -> NoReturn:
    raise ReportError("has a document type, which is never read")


class _Reader:
    """Collects test cases while the parser goes through a document."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._cases: list[Case] = []
        self._case: dict[str, str] | None = None
        self._status: Status = "passed"
        self._message = ""
        self._told_failures = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        tag = name.rpartition(" ")[2]
        if not self._path and tag not in _ROOTS:
            raise ReportError(f"is no JUnit report: its root is {line(tag)!r}")
        if len(self._path) >= MAX_DEPTH:
            raise ReportError(f"is nested more than {MAX_DEPTH} deep")
        inside = self._path[-1] if self._path else ""
        self._path.append(tag)
        if tag in _ROOTS:
            self._told_failures += _count(attributes, "failures") + _count(attributes, "errors")
        elif tag == "testcase":
            if self._case is not None:
                raise ReportError("has a test inside another")
            self._case, self._status, self._message = attributes, "passed", ""
        elif inside == "testcase" and tag in _ENDINGS:
            self._ended(_ENDINGS[tag], attributes)

    def end(self, name: str) -> None:
        """Leave an element."""
        self._path.pop()
        if name.rpartition(" ")[2] == "testcase" and self._case is not None:
            self._cases.append(self._made(self._case))
            self._case = None
            if len(self._cases) > MAX_CASES:
                raise ReportError(f"names more than {MAX_CASES} tests")

    def report(self) -> Report:
        """Return what was collected."""
        report = Report(cases=tuple(self._cases))
        if self._told_failures and not report.failed:
            raise ReportError(f"counts {self._told_failures} failures and names none")
        return report

    def _ended(self, status: Status, attributes: dict[str, str]) -> None:
        if self._status != "failed":  # a failure stands, whatever else is said
            self._status = status
            self._message = attributes.get("message", "")

    def _made(self, attributes: dict[str, str]) -> Case:
        name = attributes.get("name", "")
        if not name:
            raise ReportError("has a test without a name")
        return Case(
            name=checked("test's name", name),
            status=self._status,
            suite=checked("class's name", attributes.get("classname", "")),
            file=checked("file's name", attributes.get("file", "")),
            message=line(self._message),
            duration_ms=_milliseconds(attributes.get("time", "")),
        )


def _count(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "0").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004


def _milliseconds(text: str) -> int:
    """Return a time in seconds as some write it (``1,234.5``); 0 for what is none."""
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return 0
    return round(seconds * 1000) if 0 <= seconds < _DAY_S else 0
