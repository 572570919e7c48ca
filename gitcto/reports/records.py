"""What a report says: tests and what came of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gitcto.errors import CtoError

MAX_BYTES = 16 << 20
"""The longest report that is read (bytes)."""

MAX_CASES = 200_000
"""The most tests that one report may name."""

MAX_DEPTH = 32
"""How deep what is in a report may be nested."""

MAX_NAME = 4096
"""The longest name of a test, a suite or a file (characters)."""

MAX_MESSAGE = 300
"""How much of a failure's message is kept (characters)."""

Status = Literal["passed", "failed", "skipped", "pending", "other"]
"""What came of a test; an error is a failure. The last three did not run it to an end."""


class ReportError(CtoError):
    """A report that cannot be believed; ``message`` says why."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the report {what}", "look at what the command wrote; see the gate's log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test: its ``name`` in its ``suite`` (a class, a package), and the ``file`` if told.

    ``duration_ms`` is in milliseconds; ``message`` is one line about a failure.
    """

    name: str
    status: Status
    suite: str = ""
    file: str = ""
    message: str = ""
    duration_ms: int = 0

    @property
    def id(self) -> str:
        """``suite::name``, or the name alone."""
        return f"{self.suite}::{self.name}" if self.suite else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The tests of a report, in its order; one that was run again may be there twice."""

    cases: tuple[Case, ...] = ()

    @property
    def executed(self) -> int:
        """How many tests were run to an end."""
        return len({one.id for one in self.cases if one.status in {"passed", "failed"}})

    @property
    def failed(self) -> tuple[str, ...]:
        """The ids of the tests that failed, each once, even if it passed another time."""
        return tuple(dict.fromkeys(one.id for one in self.cases if one.status == "failed"))


def joined(reports: tuple[Report, ...]) -> Report:
    """Return what several reports say together. Raises ``ReportError`` for too many tests."""
    cases = tuple(case for report in reports for case in report.cases)
    if len(cases) > MAX_CASES:
        raise ReportError(f"names more than {MAX_CASES} tests")
    return Report(cases=cases)


def checked(what: str, text: str) -> str:
    """Return a name on one printable line; raise ``ReportError`` when it is too long."""
    if len(text) > MAX_NAME:
        raise ReportError(f"has a {what} of more than {MAX_NAME} characters")
    return printable(text)


def printable(text: str) -> str:
    """Return text with ``?`` for all that does not belong on a line."""
    return text if text.isprintable() else "".join(x if x.isprintable() else "?" for x in text)


def line(text: str) -> str:
    """Return the beginning of a message, on one line."""
    return printable(" ".join(text[: 4 * MAX_MESSAGE].split()))[:MAX_MESSAGE]


def within_size(data: bytes) -> None:
    """Raise ``ReportError`` when a report is too long to be read."""
    if len(data) > MAX_BYTES:
        raise ReportError(f"is longer than {MAX_BYTES >> 20} MiB")
