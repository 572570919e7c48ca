"""What users lost elsewhere, as tests of whole gates: nothing is green that was not shown."""

from __future__ import annotations

import sys
from typing import Any

import pytest

GREEN = '<testsuite><testcase classname=\\"C\\" name=\\"t\\"/></testsuite>'


def test_a_gate_that_never_ran_is_no_pass(gates: Any) -> None:
    """gastownhall/gastown#4469: exit 127 was taken for a failure of before; all was merged."""
    gates.gate("tests", "sh", "-c", "no-such-test-runner --all")
    assert gates.status(gates.judge()) == {"tests": ("not_run", "cannot_run")}


@pytest.mark.parametrize("report", ["<testsuites/>", "<testsuite tests='0'/>", ""])
def test_zero_tests_are_no_green(gates: Any, report: str) -> None:
    """gascity-packs#235: a set of zero checks was read as green."""
    write = f'open("r.xml", "w").write("{report}")' if report else "pass"
    gates.script("tests", write, more='junit = "r.xml"')
    (one,) = gates.judge().values()
    assert one.verdict.status == "not_run"
    assert one.verdict.reason in {"no_tests", "no_report"}
    assert one.verdict.executed == 0


def test_a_report_that_a_worker_committed_is_no_evidence(gates: Any) -> None:
    """ZaxbyHub/opencode-swarm#956: agents wrote the evidence of their own tests."""
    gates.gate("tests", "true", more='junit = "r.xml"')
    forged = '<testsuite><testcase classname="C" name="t"/></testsuite>\n'
    (one,) = gates.judge(gates.candidate(**{"r.xml": forged})).values()
    assert (one.verdict.status, one.verdict.reason) == ("not_run", "no_report")


def test_a_command_may_write_where_a_worker_committed_a_report(gates: Any) -> None:
    """Else whoever commits a file of that name would keep everybody from landing."""
    red = "<testsuite><testcase name='t'><failure/></testcase></testsuite>"
    gates.script("tests", f'open("r.xml", "w").write("{red}"); exit(1)', more='junit = "r.xml"')
    (one,) = gates.judge(gates.candidate(**{"r.xml": "<testsuite/>\n"})).values()
    assert (one.verdict.status, one.verdict.failed) == ("fail", ("t",))
    assert list(one.artifacts) == ["junit.xml"]


def test_a_real_pytest_names_what_failed_and_only_that_is_run_again(gates: Any) -> None:
    pytest_argv = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    report = "--junitxml={scratch}/r.xml"
    rerun = [*pytest_argv, report, "{tests}"]
    more = f'junit = "{{scratch}}/r.xml"\nnames = "pytest"\nrerun = {rerun}'.replace("'", '"')
    gates.gate("tests", *pytest_argv, report, more=more)
    source = "def test_good(): pass\ndef test_bad(): assert 0\n"
    candidate = gates.candidate(**{"test_it.py": source})
    (first,) = gates.judge(candidate).values()
    assert (first.verdict.failed, first.verdict.executed) == (("test_it.py::test_bad",), 2)
    (again,) = gates.judge(candidate, only={"tests": first.verdict.failed}).values()
    assert (again.verdict.failed, again.verdict.executed) == (("test_it.py::test_bad",), 1)
