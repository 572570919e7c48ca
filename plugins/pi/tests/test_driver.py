"""The driver, as a process, with a program that speaks pi's protocol."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_pi.provider import PiProvider

from gitcto.api import INTERRUPT_MARK, Letter, SendRequest, WorkerOutcome
from gitcto.mailbox import make_mailbox

if TYPE_CHECKING:
    from collections.abc import Callable

FAKE = Path(__file__).parent / "fake_pi.py"
DEADLINE_S = 30.0


class Run:
    """One run of the driver, with files for its output."""

    def __init__(self, folder: Path) -> None:
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        make_mailbox(self.scratch)
        self.out, self.err = folder / "out", folder / "err"
        self.prompt = folder / "prompt.md"
        self.secret = folder / "models.json"
        self.code = 0

    def start(self, prompt: str, *more: str, program: Path = FAKE) -> subprocess.Popen[bytes]:
        self.prompt.write_text(prompt)
        self.secret.write_text("sk-key")
        argv = [sys.executable, "-I", "-m", "gitcto_pi.driver", "--prompt", str(self.prompt)]
        argv += ["--forget", str(self.secret), *more, "--", str(program), "--mode", "rpc"]
        path = f"{Path(sys.executable).parent}:{os.defpath}"
        env = {"PATH": path, "CTO_MAIL": str(self.scratch / "mail")}
        with self.out.open("wb") as out, self.err.open("wb") as err:
            return subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def finish(self, process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
        self.code = process.wait(DEADLINE_S)
        assert not self.secret.exists()
        return [json.loads(line) for line in self.out.read_bytes().splitlines()]

    def interrupt(self) -> None:
        (self.scratch / INTERRUPT_MARK.path).write_text(INTERRUPT_MARK.text)

    def outcome(self) -> WorkerOutcome:
        return WorkerOutcome(
            code=self.code,
            cause="exited",
            stdout=self.out,
            stderr=self.err,
            scratch=self.scratch,
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def test_a_prompt_is_given_and_pi_leaves_when_it_is_done(run: Run) -> None:
    kinds = [record["type"] for record in run.finish(run.start("work on it"))]
    assert run.code == 0
    assert kinds[-2:] == ["message_end", "agent_settled"]
    report = PiProvider().collect(run.outcome())
    assert report.ok
    assert (report.message, report.session) == ("did: work on it", "s-1")


def test_what_only_repeats_is_left_out_however_long(run: Run) -> None:
    kinds = {record["type"] for record in run.finish(run.start("long one"))}
    assert not kinds & {"agent_end", "turn_end", "tool_execution_update"}
    assert len(PiProvider().collect(run.outcome()).message) == 1 << 20


def test_a_letter_reaches_pi_while_it_works_and_is_marked(run: Run) -> None:
    process = run.start("wait for mail", "--told", "5")
    until(lambda: b"waiting" in run.err.read_bytes())
    letter = Letter(number=7, sender="person:ada", subject="use v2")
    answer = PiProvider().send(
        SendRequest(letter=letter, execution="x", scratch=run.scratch, settings={})
    )
    assert answer.status == "taken"
    records = run.finish(process)
    told = [record for record in records if record["type"] == "message_start"]
    assert "use v2" in told[-1]["message"]["content"][0]["text"]
    assert [path.name for path in (run.scratch / "mail" / "shown").iterdir()] == ["7"]
    assert PiProvider().collect(run.outcome()).message == "I read it."


def test_a_letter_that_came_too_late_for_a_turn_begins_another(run: Run) -> None:
    process = run.start("wait late")
    until(lambda: b"waiting" in run.err.read_bytes())
    letter = Letter(number=7, sender="person:ada", subject="use v2")
    PiProvider().send(SendRequest(letter=letter, execution="x", scratch=run.scratch, settings={}))
    run.finish(process)
    assert "use v2" in PiProvider().collect(run.outcome()).message
    assert [path.name for path in (run.scratch / "mail" / "shown").iterdir()] == ["7"]


def test_pi_that_is_to_stop_before_it_began_gets_no_prompt(run: Run) -> None:
    run.interrupt()
    records = run.finish(run.start("work on it"))
    assert run.code == 130
    assert not [record for record in records if record["type"] == "message_start"]


def test_a_letter_that_the_prompt_holds_is_not_told_again(run: Run) -> None:
    letter = Letter(number=7, sender="person:ada", subject="use v2")
    make_mailbox(run.scratch, [letter])
    records = run.finish(run.start("work on it", "--told", "7"))
    assert len([record for record in records if record["type"] == "message_start"]) == 1


def test_the_mark_makes_pi_abort(run: Run) -> None:
    process = run.start("wait for ever")
    until(lambda: b"waiting" in run.err.read_bytes())
    assert not run.secret.exists()  # before pi could start a command
    run.interrupt()
    run.finish(process)
    assert run.code == 130
    fault = PiProvider().collect(run.outcome()).fault
    assert fault is not None
    assert fault.kind == "killed"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_signals_reach_pi(run: Run, number: signal.Signals, code: int) -> None:
    process = run.start("wait for ever")
    until(lambda: b"waiting" in run.err.read_bytes())
    process.send_signal(number)
    run.finish(process)
    assert run.code == code


def test_pi_that_dies_or_is_not_there_is_a_failure(run: Run, tmp_path: Path) -> None:
    run.finish(run.start("die now"))
    assert run.code == 3
    assert not PiProvider().collect(run.outcome()).ok
    run.finish(run.start("work", program=tmp_path / "missing"))
    fault = PiProvider().collect(run.outcome()).fault
    assert fault is not None
    assert (run.code, fault.kind, fault.retryable) == (127, "tool", False)


def test_a_prompt_that_pi_refuses_ends_the_run(run: Run) -> None:
    run.finish(run.start("refuse it"))
    fault = PiProvider().collect(run.outcome()).fault
    assert fault is not None
    assert "No API key" in fault.detail
