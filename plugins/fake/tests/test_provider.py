from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from gitcto_fake.provider import FakeProvider

from gitcto.api import CtoError, Fault, LaunchRequest, TaskSpec, Usage, WorkerOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCRIPT = [[{"do": "lie"}]]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    for name in ("workspace", "scratch"):
        (tmp_path / name).mkdir()
    return tmp_path


def launched(room: Path, settings: Mapping[str, object], **inputs: str) -> object:
    request = LaunchRequest(
        task=TaskSpec(id="T-1", title="Title", inputs=inputs),
        execution="01e",
        attempt=3,
        workspace=room / "workspace",
        scratch=room / "scratch",
        prompt_file=room / "prompt",
        settings=settings,
        host_env={"PATH": "/bin", "TOKEN": "secret"},
    )
    launch = FakeProvider().launch(request)
    assert launch.env["CTO_ATTEMPT"] == "3"
    assert "TOKEN" not in launch.env
    with (room / "scratch" / "fake-agent.json").open() as file:
        return json.load(file)


def test_the_task_decides_before_policy(room: Path) -> None:
    assert launched(room, {"script": SCRIPT}) == SCRIPT
    assert launched(room, {"script": []}, script=json.dumps(SCRIPT)) == SCRIPT


def test_a_script_may_lie_in_the_workspace(room: Path) -> None:
    (room / "workspace" / "s.json").write_text(json.dumps(SCRIPT))
    assert launched(room, {}, script="s.json") == SCRIPT


@pytest.mark.parametrize(
    ("settings", "script", "message"),
    [
        ({}, None, "no script"),
        ({"scripts": SCRIPT}, None, "unknown key 'scripts'"),
        ({}, "[[", "cannot read the script"),
        ({}, "gone.json", "cannot read the script"),
    ],
)
def test_no_script_is_refused(
    room: Path, settings: Mapping[str, object], script: str | None, message: str
) -> None:
    inputs = {} if script is None else {"script": script}
    with pytest.raises(CtoError, match="provider fake: ") as caught:
        launched(room, settings, **inputs)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("hello\n", ""),
        ('{"event": "started"}\nat work\n{"event": "finished"}\n', ""),
        ('{"event": "started"}\n', "protocol"),
        ('{"event": "started"}\n{"event": "finished"}\nnot yet\n', "protocol"),
    ],
)
def test_a_stream_of_events_must_end(room: Path, said: str, error: str) -> None:
    (room / "stdout").write_text(said)
    outcome = WorkerOutcome(
        code=0, cause="exited", stdout=room / "stdout", stderr=room / "stderr", scratch=room
    )
    report = FakeProvider().collect(outcome)
    assert (report.fault.kind if report.fault else "") == error


def run(room: Path, steps: list[dict[str, object]]) -> WorkerOutcome:
    """Run the fake agent for real with these steps."""
    request = LaunchRequest(
        task=TaskSpec(id="T-1", title="Title"),
        execution="01e",
        attempt=1,
        workspace=room / "workspace",
        scratch=room / "scratch",
        prompt_file=room / "prompt",
        settings={"script": [steps]},
        host_env={"PATH": "/usr/bin:/bin"},
    )
    launch = FakeProvider().launch(request)
    with (room / "stdout").open("wb") as out, (room / "stderr").open("wb") as err:
        code = subprocess.run(
            launch.argv,
            env=dict(launch.env),
            cwd=request.workspace,
            stdout=out,
            stderr=err,
            check=False,
        ).returncode
    return WorkerOutcome(
        code=code,
        cause="exited",
        stdout=room / "stdout",
        stderr=room / "stderr",
        scratch=request.scratch,
    )


def test_a_run_says_what_it_used_and_what_it_met(room: Path) -> None:
    quota = {"kind": "quota", "detail": "no more today", "retry_after_s": 90, "retryable": False}
    steps: list[dict[str, object]] = [
        {"do": "session", "id": "s-1"},
        {"do": "use", "input_tokens": 100, "output_tokens": 5, "cost_micros": 7},
        {"do": "message", "text": "half\ndone"},
        {"do": "use", "input_tokens": 1, "cached_tokens": 50},
        {"do": "fault", **quota},
    ]
    outcome = run(room, steps)
    report = FakeProvider().collect(outcome)
    assert outcome.code == 1
    assert report.fault == Fault(
        kind="quota", detail="no more today", retry_after_s=90, retryable=False
    )
    assert (report.session, report.message) == ("s-1", "half\ndone")
    used = Usage(input_tokens=101, cached_tokens=50, output_tokens=5, cost_micros=7)
    assert report.usage == used
    progress = FakeProvider().poll(outcome, "")
    assert [event.kind for event in progress.events] == [
        "session",
        "used",
        "message",
        "used",
        "error",
    ]
    assert (progress.usage, progress.session, progress.ended) == (used, "s-1", True)
    again = FakeProvider().poll(outcome, progress.cursor)
    assert (again.events, again.usage, again.cursor) == ((), used, progress.cursor)


def test_a_poll_waits_for_the_end_of_a_line_and_passes_a_huge_one(room: Path) -> None:
    outcome = run(room, [{"do": "use", "input_tokens": 3}])
    outcome.stdout.write_text('{"event": "used", "usage": {"input_to')
    first = FakeProvider().poll(outcome, "")
    assert (first.events, first.usage) == ((), Usage())
    with outcome.stdout.open("a") as file:
        file.write('kens": 3}}\n' + "x" * (1 << 20) + '\n{"event": "finished"}\n')
    seen, cursor = [], first.cursor
    while (progress := FakeProvider().poll(outcome, cursor)).cursor != cursor:
        cursor = progress.cursor
        seen += [event.kind for event in progress.events]
    assert seen == ["used", "ended"]
    assert progress.usage == Usage(input_tokens=3)


def test_words_are_a_summary_and_a_success(room: Path) -> None:
    report = FakeProvider().collect(run(room, [{"do": "message", "text": "all\ndone"}]))
    assert report.ok
    assert (report.summary, report.message) == ("all done", "all\ndone")
