"""Programs that are not what they should be, under the real supervisor: clear faults, no loss."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from gitcto.agents.polling import poll_output
from gitcto.api import WorkerOutcome, collect_report
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.workers import Limits, Program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.agents.conftest import Finished

SAYS = """
import json, sys
def say(kind, **told):
    sys.stdout.write(json.dumps({"kind": kind, **told}) + "\\n")
    sys.stdout.flush()
say("session", text="s-1")
"""
GARBAGE = SAYS + "sys.stdout.buffer.write(bytes(range(256)) * 4096); sys.stdout.flush()"
NOT_UTF8 = SAYS + (
    'sys.stdout.buffer.write(b\'{"kind": "message", "text": "caf\\xe9 \\xff"}\\n\')\n'
    "sys.stdout.flush()\nsay('ended')"
)
LONG_LINE = SAYS + "say('message', text='m' * 5_000_000)\nsay('message', text='done')\nsay('ended')"
CLOCK = SAYS + (
    "import os\nsay('message', text='done', at=-1)\nsay('ended', at=10**18)\n"
    "os.utime(sys.argv[1], (4e9, 4e9))"
)
WRONG = "print('usage: some-other-program [options]'); sys.exit(2)"


def play(run: Finished, tmp_path: Path, *argv: str) -> tuple[workers.Exit, WorkerOutcome]:
    run_dir = tmp_path / "run"
    limits = Limits(wall_s=60, idle_s=None, output_bytes=1 << 20)
    env = {"PATH": os.defpath, "PYTHONUTF8": "1"}
    workers.spawn(run_dir, Program(argv=argv, env=env, cwd=tmp_path), limits)
    ended = workers.wait(run_dir)
    outcome = replace(
        run.outcome,
        code=ended.code,
        cause=ended.cause,
        stdout=run_dir / "stdout.log",
        stderr=run_dir / "stderr.log",
        cut_bytes=ended.cut_bytes,
    )
    return ended, outcome


def python(code: str, *more: str) -> tuple[str, ...]:
    return (sys.executable, "-c", "import sys\n" + code, *more)


def test_a_missing_binary(run: Finished, tmp_path: Path) -> None:
    ended, outcome = play(run, tmp_path, "/nowhere/agent")
    report = collect_report(run.dialect, outcome)
    assert (ended.code, report.fault.kind, report.fault.retryable) == (127, "tool", False)
    assert "cannot be started" in report.fault.detail


def test_another_program_of_the_same_name(run: Finished, tmp_path: Path) -> None:
    _, outcome = play(run, tmp_path, *python(WRONG))
    fault = collect_report(run.dialect, outcome).fault
    assert (fault.kind, fault.provider_code) == ("tool", "exit 2")


def test_a_program_that_speaks_another_language(run: Finished, tmp_path: Path) -> None:
    _, outcome = play(run, tmp_path, *python("print('hello')"))
    fault = collect_report(run.dialect, outcome).fault
    assert (fault.kind, "hello" in fault.detail) == ("protocol", True)


def test_garbage_on_stdout(run: Finished, tmp_path: Path) -> None:
    _, outcome = play(run, tmp_path, *python(GARBAGE))
    report = collect_report(run.dialect, outcome)
    assert (report.fault.kind, report.session) == ("protocol", "s-1")
    assert report.fault.detail.isprintable()
    assert all(note.isprintable() for note in report.notes)


def test_invalid_utf_8(run: Finished, tmp_path: Path) -> None:
    _, outcome = play(run, tmp_path, *python(NOT_UTF8))
    report = collect_report(run.dialect, outcome)
    assert (report.ok, report.message) == (True, "caf\ufffd \ufffd")


def test_a_line_of_five_megabytes(run: Finished, tmp_path: Path) -> None:
    ended, outcome = play(run, tmp_path, *python(LONG_LINE))
    report = collect_report(run.dialect, outcome)
    assert ended.cut_bytes > 3_000_000
    assert (report.ok, report.message, report.session) == (True, "done", "s-1")
    assert any("were cut" in note for note in report.notes)


def test_a_clock_that_jumps(run: Finished, tmp_path: Path) -> None:
    """Nothing that is read here depends on a time that somebody tells, or that a file has."""
    _, outcome = play(run, tmp_path, *python(CLOCK, str(tmp_path / "run" / "stdout.log")))
    assert collect_report(run.dialect, outcome).ok
    first = poll_output(run.dialect, outcome, "")
    os.utime(outcome.stdout, (1, 1))
    assert first.ended
    assert poll_output(run.dialect, outcome, first.cursor).events == ()
