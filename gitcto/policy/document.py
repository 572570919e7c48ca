"""A TOML text as plain values, or every reason why it is none."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import NoReturn

from gitcto.policy.lines import line_index, line_of
from gitcto.policy.problems import PolicyError, PolicyProblem
from gitcto.policy.table import Finding

MAX_BYTES = 256 * 1024
"""The largest file that is read."""

FIX = "correct the file, then check it with `git cto policy validate`"
"""What to do about a file that is wrong."""

_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")


def document(text: bytes, where: str) -> dict[str, object]:
    """Return what a file holds; ``where`` names it in messages. Raises :class:`PolicyError`."""
    if len(text) > MAX_BYTES:
        _refuse(where, 0, f"is larger than {MAX_BYTES // 1024} KiB, which no policy needs")
    try:
        decoded = text.decode()
        return tomllib.loads(decoded)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        _refuse(where, line, "this is not UTF-8 text")
    except RecursionError:
        _refuse(where, 0, "is nested too deeply")
    except ValueError as error:  # TOML's own errors, and integers beyond Python's limit
        found = _TOML_LINE.search(str(error))
        line = int(found[1]) if found else decoded.count("\n") + 1
        _refuse(where, line, f"not valid TOML: {_TOML_LINE.sub('', str(error)).strip()}")


def refuse_all(text: bytes, where: str, findings: Sequence[Finding]) -> None:
    """Raise :class:`PolicyError` with every finding at its line; do nothing when there is none."""
    if not findings:
        return
    index = line_index(text.decode())
    problems = {PolicyProblem(where, line_of(index, f.path), f.message) for f in findings}
    raise PolicyError(tuple(sorted(problems)), FIX)


def _refuse(where: str, line: int, message: str) -> NoReturn:
    raise PolicyError((PolicyProblem(where, line, message),), FIX) from None
