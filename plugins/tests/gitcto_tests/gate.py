"""Runs the project's own tests on the merge result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.api import GateResult, Report, ReportError, ReportFiles, joined, parse_ctrf, parse_junit
from gitcto_tests.names import namer, rerun_argv
from gitcto_tests.settings import Settings, read
from gitcto_tests.verdict import Tested, of_code, of_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gitcto.api import GateContext

_SCRATCH = "{scratch}"


class TestsGate:
    """A report says which tests failed; without one, exit code 0 passes.

    A command that could not run says nothing about the change.
    """

    __test__ = False  # the name is the gate's; it holds no tests for pytest to collect

    def judge(self, context: GateContext) -> GateResult:
        """Run the command in the merged tree; its output is kept as the log."""
        settings = read(context.settings)
        if not settings.argv:
            return GateResult(status="not_run", reason="no_command", detail="argv is not set")
        if context.checkout is None:
            return GateResult(status="not_run", reason="no_checkout", detail="no files to test")
        run = _Run(context=context, settings=settings, tree=context.checkout)
        again = rerun_argv(settings.rerun, context.only) if settings.rerun else ()
        if again:
            tested = run.once(again)
            if tested.covers(context.only):
                return of_report(tested, settings, context.quarantined)
            if tested.result.code is None:
                return of_code(tested, settings)
        tested = run.once(settings.argv)
        if settings.reports:
            return of_report(tested, settings, context.quarantined)
        return of_code(tested, settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    context: GateContext
    settings: Settings
    tree: Path

    def once(self, template: Sequence[str]) -> Tested:
        """Run a command, and read what it reported."""
        context, settings = self.context, self.settings
        scratch = context.scratch
        if scratch is None:
            argv = tuple(template)
            return Tested(argv=argv, result=context.run(argv, context.deadline_s))
        argv = tuple(part.replace(_SCRATCH, str(scratch)) for part in template)
        files = ReportFiles(settings.reports, self.tree, scratch)
        with files.fresh():
            result = context.run(argv, context.deadline_s)
            tested = Tested(argv=argv, result=result)
            return self._with_report(tested, files) if settings.reports else tested

    def _with_report(self, tested: Tested, files: ReportFiles) -> Tested:
        parse = parse_junit if self.settings.junit else parse_ctrf
        kind = "junit{}.xml" if self.settings.junit else "ctrf{}.json"
        try:
            found = files.read()
            reports = tuple(map(parse, found.values()))
            report: Report = joined(reports)
        except ReportError as error:
            return tested.with_problem(error.message)
        if not found:
            return tested
        names = [kind.format("" if not number else f"-{number}") for number in range(len(found))]
        artifacts = dict(zip(names, found.values(), strict=True))
        return tested.with_report(report, artifacts, namer(self.settings.names, self.tree))
