from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_tests.gate import TestsGate

from gitcto.api import CommandResult, CtoError
from gitcto.testing import gate_context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (0, "pass", "exit_0"),
        (1, "fail", "tests_failed"),
        (5, "not_run", "not_run_code"),
        (126, "not_run", "cannot_run"),
        (127, "not_run", "cannot_run"),
        (-11, "fail", "tests_failed"),
        (-9, "not_run", "killed"),
        (137, "not_run", "killed"),
        (None, "not_run", "deadline"),
    ],
)
def test_what_an_exit_code_means(
    tmp_path: Path, code: int | None, status: str, reason: str
) -> None:
    asked = []

    def run(argv: Sequence[str], deadline_s: float) -> CommandResult:
        asked.append((tuple(argv), deadline_s))
        return CommandResult(code=code, output=b"one\n2 failed\n")

    settings = {"argv": ["make", "test"], "not_run_codes": [5]}
    result = TestsGate().judge(
        gate_context(checkout=tmp_path, settings=settings, run=run, deadline_s=7.0)
    )
    assert (result.status, result.reason, result.log) == (status, reason, b"one\n2 failed\n")
    assert asked == [(("make", "test"), 7.0)]
    assert "2 failed" in result.detail or code is None


def test_without_a_command_nothing_is_green(tmp_path: Path) -> None:
    result = TestsGate().judge(gate_context(checkout=tmp_path))
    assert (result.status, result.reason) == ("not_run", "no_command")


def test_without_a_checkout_nothing_is_green() -> None:
    result = TestsGate().judge(gate_context(settings={"argv": ["true"]}))
    assert (result.status, result.reason) == ("not_run", "no_checkout")


def test_it_runs_in_the_merged_tree(tmp_path: Path) -> None:
    (tmp_path / "marker").touch()
    program = "import os; print(os.listdir('.'))"
    context = gate_context(checkout=tmp_path, settings={"argv": [sys.executable, "-c", program]})
    assert TestsGate().judge(context).log == b"['marker']\n"


@pytest.mark.parametrize(
    "settings",
    [{"argv": "pytest"}, {"argv": [1]}, {"not_run_codes": 5}, {"not_run_codes": [0]}, {"x": 1}],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(CtoError, match="gate tests: "):
        TestsGate().judge(gate_context(settings=settings))


def test_a_gate_that_never_ran_does_not_pass(tmp_path: Path) -> None:
    """gastownhall/gastown#4469: exit 127 was "failed before, too", and everything was merged."""
    argv = ["no-such-test-runner", "--all"]
    result = TestsGate().judge(gate_context(checkout=tmp_path, settings={"argv": argv}))
    assert (result.status, result.reason) == ("not_run", "cannot_run")


def test_zero_tests_are_not_green(tmp_path: Path) -> None:
    """gascity-packs#235: zero checks were read as green."""
    report = "open('r.xml', 'w').write('<testsuite tests=\"0\"/>')"
    settings = {"argv": [sys.executable, "-c", report], "junit": "r.xml"}
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = TestsGate().judge(gate_context(checkout=tmp_path, scratch=scratch, settings=settings))
    assert (result.status, result.reason, result.executed) == ("not_run", "no_tests", 0)
