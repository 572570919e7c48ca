"""What every gate that runs a command must say of it in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitcto.contracts import CommandResult

CANNOT_RUN = (126, 127)
"""Exit codes that say of a command that it was not run: not executable, not found."""

_TAIL = 4096
_LINE = 300


def could_not_run(result: CommandResult, program: str, deadline_s: float) -> tuple[str, str] | None:
    """Return reason and detail of ``not_run`` for a command that never came to a result.

    None when it ended by itself. The detail quotes nothing that the command printed.
    """
    shown = one_line(program)
    if result.code is None and result.cause not in {"", "wall"}:
        return "limit", f"{shown} was ended: {result.cause}"
    if result.code is None:
        return "deadline", f"{shown} did not end within {deadline_s:g} s"
    if result.code in CANNOT_RUN:
        return "cannot_run", f"{shown} could not be started (exit code {result.code})"
    return None


def last_line(output: bytes) -> str:
    """Return the last line with something on it as :func:`one_line`; ``no output`` without one."""
    lines = [
        line for line in output[-_TAIL:].decode("utf-8", "replace").split("\n") if line.strip()
    ]
    return one_line(lines[-1]) if lines else "no output"


def one_line(text: str) -> str:
    """Return text as one printable line of bounded length, whatever it was."""
    folded = " ".join(text[: 4 * _LINE].split())
    return "".join(letter if letter.isprintable() else "?" for letter in folded)[:_LINE]
