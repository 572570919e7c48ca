"""Argv templates: data with typed placeholders, never a shell string."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def fill_template(
    template: str, known: Mapping[str, str], *, who: str, foreign: Collection[str] = ()
) -> str:
    """Return ``template`` with its placeholders filled; ``{{`` and ``}}`` are literal braces.

    :param who: begins what an error says, ``provider command`` for example.
    :param foreign: placeholders whose values are not git-cto's own, but a plan's.
    Raises ``CtoError`` for an unknown placeholder, a lone brace, a value with a NUL, and a foreign
    value that would turn the argument into an option.
    """

    def piece(match: re.Match[str]) -> str:
        text, name = match[0], match[1]
        if text in ("{{", "}}"):
            return text[0]
        if name is None:
            raise _bad(who, f"lone {text!r} in {template!r}", "write a literal brace twice: `{{`")
        if name not in known:
            names = ", ".join("{" + each + "}" for each in sorted(known))
            raise _bad(who, f"unknown placeholder {text} in {template!r}", f"known here: {names}")
        if not match.start() and name in foreign and known[name].startswith("-"):
            raise _bad(
                who,
                f"{text} is {known[name]!r}, which would become an option of the command",
                f"write text before it in the template (`--title={text}`), or change the plan",
            )
        return known[name]

    filled = _PIECE.sub(piece, template)
    if "\0" in filled:
        hint = "remove it from the plan or policy"
        raise _bad(who, f"{template!r} would hold a NUL character", hint)
    return filled


def _bad(who: str, message: str, hint: str) -> CtoError:
    return CtoError(f"{who}: {message}", hint, ExitCode.POLICY)
