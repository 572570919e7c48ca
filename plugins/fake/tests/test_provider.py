from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from gitcto_fake.provider import FakeProvider

from gitcto.api import CtoError, LaunchRequest, TaskSpec, WorkerOutcome

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
