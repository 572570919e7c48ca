"""How a report's tests are named, and how the command is told to run some of them again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto_tests.settings import PATTERN, TESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gitcto.api import Case

MOST = 500
"""With more tests than this the whole command is run; the same goes for ``MOST_CHARACTERS``."""

MOST_CHARACTERS = 60_000

_SAFE = re.compile(r"[\w./]")


def namer(convention: str, tree: Path) -> Callable[[Case], str]:
    """Return the function that names a test; ``tree`` holds the files that were tested."""
    if convention == "pytest":
        return lambda case: _node(case, tree)
    if convention == "unittest":
        return lambda case: f"{case.suite}.{case.name}" if case.suite else case.name
    return lambda case: case.id


def _node(case: Case, tree: Path) -> str:
    """Return pytest's node id: the class name begins with the path of a file that is there.

    What could not even be collected has no class, and its name is the file's.
    """
    dotted = case.suite or case.name
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length]) + ".py"
        if (tree / path).is_file():
            rest = (*parts[length:], *([case.name] if case.suite else []))
            return "::".join((path, *rest))
    return case.id


def rerun_argv(template: Sequence[str], tests: Sequence[str]) -> tuple[str, ...]:
    """Return the command for these tests alone, or nothing when it cannot be told safely.

    The names come from files that a worker wrote: one that a program could take for an option, or
    for a file of options, is never handed to it.
    """
    if not tests or len(tests) > MOST or sum(map(len, tests)) > MOST_CHARACTERS:
        return ()
    if not all(_SAFE.match(test) and test.isprintable() for test in tests):
        return ()
    argv: list[str] = []
    for part in template:
        if part == TESTS:
            argv += tests
        else:
            argv.append(part.replace(PATTERN, _pattern(tests)))
    return tuple(argv)


def _pattern(tests: Sequence[str]) -> str:
    """Return a regular expression for the tests' own names, a subtest's being its test's."""
    names = dict.fromkeys(test.rpartition("::")[2].partition("/")[0] for test in tests)
    return f"^({'|'.join(map(re.escape, names))})$"
