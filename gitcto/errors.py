"""Errors a user can cause, and the exit codes the command line promises."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every ``git cto`` command; documented in ``docs/reference/exit-codes.md``."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    INTERNAL = 3
    POLICY = 4
    PLUGIN_MISSING = 5
    PARKED = 6
    GIT = 128
    INTERRUPTED = 130


class CtoError(Exception):
    """Expected trouble: one line of what happened and one of what to do about it."""

    def __init__(self, message: str, hint: str, exit_code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
