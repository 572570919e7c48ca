"""Runs the project's own tests on the merge result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, GateResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import GateContext

_KEYS = ("argv", "not_run_codes")
_CANNOT_RUN = (126, 127)
_LINE = 300


class TestsGate:
    """Exit code 0 passes; a command that could not run says nothing about the change."""

    __test__ = False  # the name is the gate's; it holds no tests for pytest to collect

    def judge(self, context: GateContext) -> GateResult:
        """Run the command in the merged tree; its output is kept as the log."""
        argv, not_run_codes = _settings(context.settings)
        if not argv:
            return GateResult(status="not_run", reason="no_command", detail="argv is not set")
        if context.checkout is None:
            return GateResult(status="not_run", reason="no_checkout", detail="no files to test")
        result = context.run(argv, context.deadline_s)
        code, log = result.code, result.output
        if code is None:
            detail = f"{argv[0]} did not end within {context.deadline_s:g} s"
            return GateResult(status="not_run", reason="deadline", detail=detail, log=log)
        if code == 0:
            return GateResult(status="pass", reason="exit_0", detail=_last_line(log), log=log)
        detail = f"exit code {code}: {_last_line(log)}"
        if code in _CANNOT_RUN:
            return GateResult(status="not_run", reason="cannot_run", detail=detail, log=log)
        if code in not_run_codes:
            return GateResult(status="not_run", reason="not_run_code", detail=detail, log=log)
        return GateResult(status="fail", reason="tests_failed", detail=detail, log=log)


def _settings(table: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {', '.join(_KEYS)}")
    argv, codes = table.get("argv", ()), table.get("not_run_codes", ())
    if not isinstance(argv, list | tuple) or not all(isinstance(each, str) for each in argv):
        raise _bad("argv must be a list of strings", 'write argv = ["python3", "-m", "pytest"]')
    if not isinstance(codes, list | tuple) or not all(type(each) is int for each in codes):
        raise _bad("not_run_codes must be a list of numbers", "write not_run_codes = [5]")
    if 0 in codes:
        raise _bad("not_run_codes holds 0, which means passed", "take it out")
    return tuple(argv), tuple(codes)


def _last_line(log: bytes) -> str:
    lines = [line for line in log[-4096:].decode("utf-8", "replace").split("\n") if line.strip()]
    last = lines[-1].strip() if lines else "no output"
    return "".join(letter if letter.isprintable() else "?" for letter in last)[:_LINE]


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"gate tests: {message}", hint, ExitCode.POLICY)
