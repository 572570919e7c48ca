"""The settings of gate ``tests``, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, report_path_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

CONVENTIONS = ("junit", "pytest", "unittest", "go")
"""How tests are named, so that the test command understands the names."""

TESTS, PATTERN = "{tests}", "{pattern}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What policy says of the gate; README.md explains each key."""

    argv: tuple[str, ...]
    not_run_codes: tuple[int, ...]
    red_codes: tuple[int, ...]
    fail_codes: tuple[int, ...]
    junit: tuple[str, ...]
    ctrf: tuple[str, ...]
    names: str
    rerun: tuple[str, ...]
    count: re.Pattern[str] | None

    @property
    def reports(self) -> tuple[str, ...]:
        """Where the command writes its report; nothing when it writes none."""
        return self.junit or self.ctrf


def read(table: Mapping[str, object]) -> Settings:
    """Return the settings; raise ``CtoError`` for what cannot be meant."""
    known = Settings.__slots__
    for key in table:
        if key not in known:
            raise bad(f"unknown key {key!r}", f"it takes {', '.join(known)}")
    found = Settings(
        argv=_texts(table, "argv", 'write argv = ["python3", "-m", "pytest"]'),
        not_run_codes=_codes(table, "not_run_codes", ()),
        red_codes=_codes(table, "red_codes", (1,)),
        fail_codes=_codes(table, "fail_codes", ()),
        junit=_paths(table, "junit"),
        ctrf=_paths(table, "ctrf"),
        names=_names(table),
        rerun=_texts(table, "rerun", f'write rerun = ["python3", "-m", "pytest", "{TESTS}"]'),
        count=_count(table),
    )
    _belong_together(found)
    return found


def _belong_together(found: Settings) -> None:
    if found.junit and found.ctrf:
        raise bad("junit and ctrf are both set", "the command writes one of them; take one out")
    if found.count and found.reports:
        raise bad("count is set beside a report", "the report counts the tests; take count out")
    if not found.rerun:
        return
    if not found.reports:
        raise bad("rerun is set without a report", "only a report names tests: set junit or ctrf")
    placed = [part for part in found.rerun if part == TESTS or PATTERN in part]
    if len(placed) != 1 or found.rerun[0] in placed:
        hint = f'one argument must be "{TESTS}", or hold {PATTERN}'
        raise bad("rerun does not say where the names of the tests go", hint)


def _texts(table: Mapping[str, object], key: str, hint: str) -> tuple[str, ...]:
    value = table.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise bad(f"{key} must be a list of strings", hint)
    return tuple(value)


def _codes(table: Mapping[str, object], key: str, default: tuple[int, ...]) -> tuple[int, ...]:
    codes = table.get(key, default)
    if not isinstance(codes, list | tuple) or not all(type(each) is int for each in codes):
        raise bad(f"{key} must be a list of numbers", f"write {key} = [5]")
    if 0 in codes:
        raise bad(f"{key} holds 0, which means passed", "take it out")
    return tuple(codes)


def _paths(table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key, ())
    paths = (value,) if isinstance(value, str) else value
    if not isinstance(paths, list | tuple) or not all(isinstance(each, str) for each in paths):
        raise bad(f"{key} must be a path, or a list of paths", f'write {key} = "report.xml"')
    for path in paths:
        problem = report_path_problem(path)
        if problem:
            raise bad(f"{key} names {path!r}", problem)
    return tuple(paths)


def _names(table: Mapping[str, object]) -> str:
    names = table.get("names", CONVENTIONS[0])
    if names not in CONVENTIONS:
        raise bad("names must be one of the conventions", f"they are {', '.join(CONVENTIONS)}")
    return str(names)


def _count(table: Mapping[str, object]) -> re.Pattern[str] | None:
    text = table.get("count", "")
    if text == "":
        return None
    hint = r"write count = '(\d+) passed': one group, which is the number"
    try:
        pattern = re.compile(text if isinstance(text, str) else "")
    except re.error as error:
        raise bad(f"count is no regular expression: {error}", hint) from error
    if pattern.groups != 1:
        raise bad("count must have one group", hint)
    return pattern


def bad(message: str, hint: str) -> CtoError:
    """Return the error for settings that cannot be used."""
    return CtoError(f"gate tests: {message}", hint, ExitCode.POLICY)
