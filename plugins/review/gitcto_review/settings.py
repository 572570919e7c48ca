"""The gate's table in ``policy.toml``, read strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, fill_template

if TYPE_CHECKING:
    from collections.abc import Mapping

WHO = "gate review"
PLACEHOLDERS = ("answer", "patch", "request")
"""What the words of the reviewer's command may be filled with: paths of files."""

_EXAMPLE = 'argv = ["my-reviewer", "{request}", "{patch}", "{answer}"]'


def read(table: Mapping[str, object]) -> tuple[str, ...]:
    """Return the template of the reviewer's command; empty when policy names none.

    Raises ``CtoError`` (exit 4) for what cannot be meant.
    """
    for key in table:
        if key != "argv":
            raise _bad(f"unknown key {key!r}", "it takes argv")
    argv = table.get("argv", ())
    if not isinstance(argv, list | tuple) or not all(isinstance(each, str) for each in argv):
        raise _bad("argv must be a list of strings", f"write {_EXAMPLE}")
    if argv and not argv[0]:
        raise _bad("argv names no program", f"write {_EXAMPLE}")
    known = {name: f"\n{name}\n" for name in PLACEHOLDERS}
    filled = [fill_template(word, known, who=WHO) for word in argv]
    if filled and not any(known["answer"] in word for word in filled):
        raise _bad("argv does not say where the answer goes", f"write {_EXAMPLE}")
    return tuple(argv)


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"{WHO}: {message}", hint, ExitCode.POLICY)
