"""Runs a command on the merge result: a linter, a type checker, a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import CANNOT_RUN, CtoError, ExitCode, GateResult, last_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import CommandResult, GateContext

_KEYS = ("argv", "not_run_codes")
_SCRATCH = "{scratch}"
_KILLED = (128 + 9, 128 + 24, 128 + 25)


class CommandGate:
    """Exit code 0 passes; a command that could not run says nothing about the change."""

    def judge(self, context: GateContext) -> GateResult:
        """Run the command in the merged tree; its output is kept as the log."""
        argv, not_run_codes = _settings(context.settings)
        if not argv:
            return GateResult(status="not_run", reason="no_command", detail="argv is not set")
        if context.checkout is None:
            return GateResult(status="not_run", reason="no_checkout", detail="no files to look at")
        if context.scratch is not None:
            argv = tuple(part.replace(_SCRATCH, str(context.scratch)) for part in argv)
        result = context.run(argv, context.deadline_s)
        log = result.output
        if result.code is None:
            reason, detail = _ended(argv[0], result)
            return GateResult(status="not_run", reason=reason, detail=detail, log=log)
        code = result.code if result.code >= 0 else 128 - result.code
        detail = f"exit code {code}: {last_line(log)}" if code else last_line(log)
        for codes, reason in (
            (CANNOT_RUN, "cannot_run"),
            (not_run_codes, "not_run_code"),
            (_KILLED, "killed"),
        ):
            if code in codes:
                return GateResult(status="not_run", reason=reason, detail=detail, log=log)
        if code:
            return GateResult(status="fail", reason="command_failed", detail=detail, log=log)
        return GateResult(status="pass", reason="exit_0", detail=detail, log=log)


def _ended(program: str, result: CommandResult) -> tuple[str, str]:
    if result.cause in {"", "wall"}:
        return "deadline", f"{program} did not end in time"
    return "limit", f"{program} ended: {result.cause}"


def _settings(table: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {' and '.join(_KEYS)}")
    argv, codes = table.get("argv", ()), table.get("not_run_codes", ())
    if not isinstance(argv, list | tuple) or not all(isinstance(each, str) for each in argv):
        raise _bad("argv must be a list of strings", 'write argv = ["make", "lint"]')
    if not isinstance(codes, list | tuple) or not all(type(each) is int for each in codes):
        raise _bad("not_run_codes must be a list of numbers", "write not_run_codes = [2]")
    if 0 in codes:
        raise _bad("not_run_codes holds 0, which means passed", "take it out")
    return tuple(argv), tuple(codes)


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"gate command: {message}", hint, ExitCode.POLICY)
