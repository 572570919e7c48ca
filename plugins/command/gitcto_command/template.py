"""Argv templates: data with typed placeholders, never a shell string."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import LaunchRequest

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_OURS = frozenset({"workspace", "prompt_file", "scratch", "execution", "attempt", "task.id"})
"""Placeholders whose values git-cto makes itself; the others come from a plan."""


def values(request: LaunchRequest) -> dict[str, str]:
    """Return what each placeholder stands for in one attempt."""
    task = request.task
    known = {
        "workspace": str(request.workspace),
        "prompt_file": str(request.prompt_file),
        "scratch": str(request.scratch),
        "task.id": task.id,
        "task.title": task.title,
        "attempt": str(request.attempt),
        "execution": request.execution,
    }
    known.update({f"input.{name}": value for name, value in task.inputs.items()})
    return known


def fill(template: str, known: Mapping[str, str]) -> str:
    """Return ``template`` with its placeholders filled; ``{{`` and ``}}`` are literal braces.

    Raises ``CtoError`` for an unknown placeholder, a lone brace, a value with a NUL, and a value
    from the plan that would turn the argument into an option.
    """

    def piece(match: re.Match[str]) -> str:
        text, name = match[0], match[1]
        if text in ("{{", "}}"):
            return text[0]
        if name is None:
            raise _bad(f"lone {text!r} in {template!r}", "write a literal brace twice: `{{`")
        if name not in known:
            raise _bad(
                f"unknown placeholder {text} in {template!r}",
                f"known here: {', '.join('{' + each + '}' for each in sorted(known))}",
            )
        if not match.start() and name not in _OURS and known[name].startswith("-"):
            raise _bad(
                f"{text} is {known[name]!r}, which would become an option of the command",
                f"write text before it in the template (`--title={text}`), or change the plan",
            )
        return known[name]

    filled = _PIECE.sub(piece, template)
    if "\0" in filled:
        raise _bad(f"{template!r} would hold a NUL character", "remove it from the plan or policy")
    return filled


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"provider command: {message}", hint, ExitCode.POLICY)
