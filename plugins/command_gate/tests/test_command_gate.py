from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gitcto_command_gate.gate import CommandGate

from gitcto.api import CommandResult, CtoError
from gitcto.testing import gate_context

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("code", "cause", "status", "reason"),
    [
        (0, "", "pass", "exit_0"),
        (1, "", "fail", "command_failed"),
        (2, "", "not_run", "not_run_code"),
        (126, "", "not_run", "cannot_run"),
        (127, "", "not_run", "cannot_run"),
        (137, "", "not_run", "killed"),
        (-9, "", "not_run", "killed"),
        (153, "", "not_run", "killed"),
        (139, "", "fail", "command_failed"),
        (None, "wall", "not_run", "deadline"),
        (None, "", "not_run", "deadline"),
        (None, "memory", "not_run", "limit"),
        (None, "survivors", "not_run", "limit"),
    ],
)
def test_what_an_exit_code_means(
    tmp_path: Path, code: int | None, cause: str, status: str, reason: str
) -> None:
    given = CommandResult(code=code, output=b"one\nlast\n", cause=cause)
    settings = {"argv": ["lint"], "not_run_codes": [2]}
    context = gate_context(checkout=tmp_path, settings=settings, run=lambda *_asked: given)
    result = CommandGate().judge(context)
    assert (result.status, result.reason, result.log) == (status, reason, b"one\nlast\n")


def test_the_command_is_told_where_it_may_write(tmp_path: Path) -> None:
    asked: list[Any] = []

    def run(argv: Any, _deadline_s: float) -> CommandResult:
        asked.append(argv)
        return CommandResult(code=0, output=b"")

    settings = {"argv": ["lint", "--cache={scratch}/c"]}
    CommandGate().judge(
        gate_context(checkout=tmp_path, settings=settings, run=run, scratch=tmp_path / "s")
    )
    assert asked == [("lint", f"--cache={tmp_path}/s/c")]


def test_nothing_is_green_without_a_command_or_files(tmp_path: Path) -> None:
    assert CommandGate().judge(gate_context(checkout=tmp_path)).reason == "no_command"
    result = CommandGate().judge(gate_context(settings={"argv": ["true"]}))
    assert (result.status, result.reason) == ("not_run", "no_checkout")


@pytest.mark.parametrize(
    "settings",
    [{"argv": "lint"}, {"argv": [1]}, {"not_run_codes": 5}, {"not_run_codes": [0]}, {"x": 1}],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(CtoError, match="gate command: "):
        CommandGate().judge(gate_context(settings=settings))
