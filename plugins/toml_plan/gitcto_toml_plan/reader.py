"""Plans as TOML: one ``[[task]]`` table for each task, with the fields of a task and no others."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any

from gitcto.api import DraftPlan, PlanProblem, TaskSpec, line_index, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_CHARACTERS = 10 * 1024 * 1024

_TIERS = ("P0", "P1", "P2")
_PRIORITIES = ("urgent", "high", "normal", "low")
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_SHOWN = 60


class TomlPlan:
    """Reads ``[[task]]`` tables; every problem is named with its line, and nothing is guessed."""

    def recognises(self, text: str) -> bool:
        """Tell whether this text is TOML with tasks in it."""
        if len(text) > MAX_CHARACTERS or "[[" not in text:
            return False
        try:
            return "task" in tomllib.loads(text)
        except (ValueError, RecursionError):
            return False

    def read(self, text: str) -> DraftPlan:
        """Return the tasks, and every problem at once; never raise for bad input."""
        if len(text) > MAX_CHARACTERS:
            return _refused(0, f"the plan has more than {MAX_CHARACTERS} characters")
        try:
            document = tomllib.loads(text)
        except RecursionError:
            return _refused(0, "the plan is nested too deeply")
        except ValueError as error:  # TOML's own errors, and integers beyond Python's limit
            found = _TOML_LINE.search(str(error))
            what = _TOML_LINE.sub("", str(error)).strip()
            line = int(found[1]) if found else text.count("\n") + 1
            return _refused(line, f"not valid TOML: {what}")
        return _Reading(text).plan(document)


def _refused(line: int, message: str) -> DraftPlan:
    return DraftPlan(tasks=(), problems=(PlanProblem(line=line, message=message),))


class _Reading:
    """One reading of one document; problems gather here, by path, until lines are wanted."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[tuple[tuple[str, ...], str]] = []

    def plan(self, document: Mapping[str, object]) -> DraftPlan:
        for key in document:
            if key != "task":
                self._unknown(("task",), key, (key,))
        entries = document.get("task", [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            self._found.append((("task",), "write each task as a table [[task]]"))
            entries = []
        elif not entries:
            self._found.append(((), "there is no [[task]] table"))
        read = [self._task(("task", str(n)), entry) for n, entry in enumerate(entries)]
        tasks = tuple(task for task in read if task is not None)
        return DraftPlan(tasks=tasks, problems=self._problems())

    def _task(self, path: tuple[str, ...], entry: dict[str, object]) -> TaskSpec | None:
        fields: dict[str, Any] = {}
        for key, value in entry.items():
            if key not in FIELDS:
                self._unknown(tuple(FIELDS), key, (*path, key))
                continue
            complaint = FIELDS[key](value)
            if complaint:
                self._found.append(((*path, key), f'"{key}" {complaint}'))
            else:
                fields[key] = tuple(value) if isinstance(value, list) else value
        for key in ("id", "title"):
            if key not in entry:
                self._found.append((path, f'this task has no "{key}"'))
        if "id" not in fields:
            return None
        # with a stand-in title, the tasks that depend on this one are still checked
        return TaskSpec(**{"title": fields["id"], **fields})

    def _unknown(self, known: Sequence[str], key: str, path: tuple[str, ...]) -> None:
        near = difflib.get_close_matches(key.lower(), known, n=1)
        hint = f', did you mean "{near[0]}"?' if near else f": known are {', '.join(known)}"
        self._found.append((path, f"unknown key {_shown(key)}{hint}"))

    def _problems(self) -> tuple[PlanProblem, ...]:
        index = line_index(self._text) if self._found else {}
        problems = [PlanProblem(line=line_of(index, p), message=m) for p, m in self._found]
        return tuple(sorted(problems, key=lambda problem: (problem.line, problem.message)))


def _shown(value: str) -> str:
    text = ascii(value)[1:-1]
    return f'"{text[:_SHOWN]}…"' if len(text) > _SHOWN else f'"{text}"'


def _text(value: object) -> str:
    return "" if isinstance(value, str) else "must be a string"


def _texts(value: object) -> str:
    good = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "" if good else "must be a list of strings"


def _inputs(value: object) -> str:
    good = isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    return "" if good else "must be a table of strings"


def _one_of(known: Sequence[str]) -> Callable[[object], str]:
    def check(value: object) -> str:
        return "" if value in known else f"must be one of {', '.join(known)}"

    return check


FIELDS: Mapping[str, Callable[[object], str]] = {
    "id": _text,
    "title": _text,
    "prompt": _text,
    "depends_on": _texts,
    "role": _text,
    "tier": _one_of(_TIERS),
    "priority": _one_of(_PRIORITIES),
    "paths": _texts,
    "owner": _text,
    "inputs": _inputs,
    "strategy": _text,
}
"""The fields of a task; each check says what a value must be, or nothing."""
