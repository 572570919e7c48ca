"""Argv templates: data with typed placeholders, never a shell string."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_TYPED = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*):([a-z]+)\}|[{}]")

TYPES = {
    "id": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}"),
    "path": re.compile(r"/[^\0\n]{0,4095}"),
    "text": re.compile(r"[^\0]+"),
    "url": re.compile(r"https?://[A-Za-z0-9.\[\]:_~/%+-]{1,2000}"),
    "word": re.compile(r"[A-Za-z0-9_][^\s\0]{0,199}"),
}
"""What a value of each type must match as a whole; a ``path`` is absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of an argument: ``literal`` text, or the placeholder ``name`` of type ``kind``."""

    literal: str = ""
    name: str = ""
    kind: str = ""

    def filled(self, values: Mapping[str, str], *, who: str) -> str:
        """Return what it stands for; ``CtoError`` for no value, or one of another type."""
        if not self.name:
            return self.literal
        value = values.get(self.name, "")
        if not TYPES[self.kind].fullmatch(value):
            found = repr(value[:80]) if value else "not given"
            hint = f"it must be a {self.kind}"
            raise _bad(who, f"{{{self.name}:{self.kind}}} is {found}", hint)
        return value


def typed_pieces(template: str, *, who: str) -> list[Piece]:
    """Return an argument taken to pieces; ``{{`` and ``}}`` are literal braces.

    Raises ``CtoError`` for a placeholder that is not ``{name:type}`` with one of :data:`TYPES`.
    """
    pieces, at = [], 0
    for found in _TYPED.finditer(template):
        name, kind = found[1] or "", found[2] or ""
        if found[0] in "{}" or (name and kind not in TYPES):
            known = ", ".join(sorted(TYPES))
            hint = f"write {{name:type}} with one of the types {known}; a literal brace twice"
            raise _bad(who, f"{template!r} has no valid placeholder at {found[0]!r}", hint)
        pieces.append(Piece(literal=template[at : found.start()]))
        pieces.append(Piece(literal="" if name else found[0][0], name=name, kind=kind))
        at = found.end()
    pieces.append(Piece(literal=template[at:]))
    return [piece for piece in pieces if piece.name or piece.literal]


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
