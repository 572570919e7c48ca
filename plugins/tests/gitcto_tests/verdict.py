"""What an exit code and a report say together about a change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from gitcto.api import CANNOT_RUN, GateResult, last_line, one_line

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence

    from gitcto.api import Case, CommandResult, Report
    from gitcto_tests.settings import Settings

KILLED = (128 + 9, 128 + 24, 128 + 25)
"""Killed; over its CPU time; over the size of a file: how limits end a program, not tests."""

_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What came of one command. ``reported`` is whether it wrote a report that can be believed.

    ``problem`` is why it cannot; ``ran`` and ``failed`` name tests.
    """

    argv: tuple[str, ...]
    result: CommandResult
    reported: bool = False
    problem: str = ""
    ran: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    artifacts: Mapping[str, bytes] = field(default_factory=dict)

    def with_problem(self, problem: str) -> Tested:
        """Return the same with a report that cannot be believed."""
        return replace(self, problem=problem)

    def with_report(
        self, report: Report, artifacts: Mapping[str, bytes], name: Callable[[Case], str]
    ) -> Tested:
        """Return the same with what was reported."""
        ran = [case for case in report.cases if case.status in {"passed", "failed"}]
        failed = [case for case in ran if case.status == "failed"]
        return replace(
            self,
            reported=True,
            ran=tuple(dict.fromkeys(map(name, ran))),
            failed=tuple(dict.fromkeys(map(name, failed))),
            artifacts=artifacts,
        )

    def covers(self, tests: Sequence[str]) -> bool:
        """Tell whether each of these tests was run, and the command ended by itself."""
        return self.result.code is not None and set(tests) <= set(self.ran)

    @property
    def code(self) -> int:
        """The exit code as a shell has it."""
        code = self.result.code or 0
        return code if code >= 0 else 128 - code

    def says(
        self, status: Literal["pass", "fail", "not_run"], reason: str, detail: str
    ) -> GateResult:
        """Return a result with all that is known."""
        ended = f"exit code {self.code}: " if self.code else ""
        return GateResult(
            status=status,
            reason=reason,
            detail=ended + detail,
            log=self.result.output,
            executed=len(self.ran),
            artifacts=self.artifacts,
        )


def of_code(tested: Tested, settings: Settings) -> GateResult:
    """Return what the exit code says, where there is no report."""
    stopped = _could_not_run(tested, settings)
    if stopped is not None:
        return stopped
    last = last_line(tested.result.output)
    if tested.code:
        return tested.says("fail", "tests_failed", last)
    if settings.count is None:
        return tested.says("pass", "exit_0", last)
    executed = _counted(settings.count, tested.result.output)
    if not executed:
        return tested.says("not_run", "no_tests", f"no test was run: {last}")
    return replace(tested.says("pass", "exit_0", last), executed=executed)


def of_report(tested: Tested, settings: Settings, quarantined: frozenset[str]) -> GateResult:
    """Return what the report says, as far as the exit code agrees."""
    stopped = _could_not_run(tested, settings)
    if stopped is not None:
        return stopped
    if tested.problem:
        return tested.says("not_run", "bad_report", tested.problem)
    failed = tuple(test for test in tested.failed if test not in quarantined)
    ignored = tuple(test for test in tested.failed if test in quarantined)
    if failed:
        said = tested.says("fail", "tests_failed", _named(failed, len(tested.ran)))
        return replace(said, failed=failed, ignored=ignored)
    last = last_line(tested.result.output)
    if tested.code in settings.fail_codes:
        return tested.says("fail", "fail_code", last)
    if not tested.reported:
        return tested.says("not_run", "no_report", f"it wrote no report: {last}")
    if len(tested.ran) == len(ignored):
        return replace(tested.says("not_run", "no_tests", "no test was run"), ignored=ignored)
    if tested.code and not (ignored and tested.code in settings.red_codes):
        return tested.says("not_run", "no_failure", f"no test is named that failed: {last}")
    passed = f"{len(tested.ran) - len(ignored)} tests passed"
    said = tested.says("pass", "quarantined" if ignored else "exit_0", passed)
    return replace(said, ignored=ignored)


def _could_not_run(tested: Tested, settings: Settings) -> GateResult | None:
    result, program = tested.result, tested.argv[0]
    if result.code is None:
        late = result.cause in {"", "wall"}
        detail = f"{program} did not end in time" if late else f"{program} ended: {result.cause}"
        return tested.says("not_run", "deadline" if late else "limit", detail)
    last = last_line(result.output)
    for codes, reason in (
        (CANNOT_RUN, "cannot_run"),
        (settings.not_run_codes, "not_run_code"),
        (KILLED, "killed"),
    ):
        if tested.code in codes:
            return tested.says("not_run", reason, last)
    return None


def _named(failed: Sequence[str], executed: int) -> str:
    more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    names = one_line(", ".join(failed[:_SHOWN]))
    return f"{len(failed)} of {executed} tests failed: {names}{more}"


def _counted(pattern: re.Pattern[str], log: bytes) -> int:
    """Return the sum of the numbers on the last line that has one."""
    for line in reversed(log.decode("utf-8", "replace").split("\n")):
        found = pattern.findall(line)
        if found:
            return sum(int(number) for number in found if number.isascii() and number.isdigit())
    return 0
