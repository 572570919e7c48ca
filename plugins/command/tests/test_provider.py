from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_command.provider import CommandProvider

from gitcto.api import CtoError, ExitCode, LaunchRequest, TaskSpec, WorkerOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = {"PATH": "/usr/bin:/bin", "HOME": "/srv/ada", "TOKEN": "secret", "OTHER": "secret too"}


def request(settings: Mapping[str, object], **inputs: str) -> LaunchRequest:
    return LaunchRequest(
        task=TaskSpec(id="T-1", title="Title", inputs=inputs),
        execution="01e",
        attempt=2,
        workspace=Path("/w"),
        scratch=Path("/s"),
        prompt_file=Path("/p.md"),
        settings=settings,
        host_env=HOST,
    )


def test_argv_and_environment_are_filled() -> None:
    settings = {
        "argv": ["agent", "{prompt_file}", "{attempt}", "{execution}", "{input.MODE}"],
        "env": {"AGENT_HOME": "{scratch}/home"},
        "pass_env": ["TOKEN", "NOT_SET"],
    }
    launch = CommandProvider().launch(request(settings, MODE="fast"))
    assert launch.argv == ("agent", "/p.md", "2", "01e", "fast")
    assert launch.env == {
        "PATH": "/usr/bin:/bin",
        "TOKEN": "secret",
        "AGENT_HOME": "/s/home",
        "CTO_TASK": "T-1",
        "CTO_ATTEMPT": "2",
        "CTO_EXECUTION": "01e",
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "argv is empty"),
        ({"argv": []}, "argv is empty"),
        ({"argv": [""]}, "argv is empty"),
        ({"argv": "agent --yes"}, "argv must be a list of strings"),
        ({"argv": ["a", 1]}, "argv must be a list of strings"),
        ({"argv": ["a"], "shell": True}, "unknown key 'shell'"),
        ({"argv": ["a"], "env": {"A": 1}}, "env must be a table of strings"),
        ({"argv": ["a"], "env": {"A=B": "x"}}, "'A=B' cannot name a variable"),
        ({"argv": ["a"], "pass_env": "PATH"}, "pass_env must be a list of strings"),
    ],
)
def test_bad_settings_are_refused(settings: Mapping[str, object], message: str) -> None:
    for call in (
        lambda: CommandProvider().launch(request(settings)),
        lambda: CommandProvider().probe(settings, HOST),
    ):
        with pytest.raises(CtoError) as caught:
            call()
        assert message in caught.value.message
        assert caught.value.exit_code == ExitCode.POLICY


def test_a_program_is_looked_for_where_the_worker_would_find_it(tmp_path: Path) -> None:
    program = tmp_path / "my-agent"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    provider, settings = CommandProvider(), {"argv": ["my-agent"]}
    assert provider.probe(settings, {"PATH": str(tmp_path)}).available
    missing = provider.probe(settings, {"PATH": "/nowhere"})
    assert not missing.available
    assert "install 'my-agent'" in missing.hint
    assert provider.probe({"argv": [sys.executable]}, {}).available


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ({"code": 0}, (True, "", "last words")),
        ({"code": 1}, (False, "tool", "last cry")),
        ({"code": 127}, (False, "tool", "last cry")),
        ({"code": -9}, (False, "killed", "last cry")),
        ({"code": 137}, (False, "killed", "last cry")),
        ({"code": 0, "cause": "wall"}, (False, "timeout", "ended by the limit on wall")),
        ({"code": 0, "cause": "lost"}, (False, "killed", "the worker was lost")),
    ],
)
def test_the_end_is_a_claim(
    tmp_path: Path, end: dict[str, Any], expected: tuple[bool, str, str]
) -> None:
    (tmp_path / "out").write_text("words\nlast words\n\n")
    (tmp_path / "err").write_text("cry\nlast cry\n")
    facts: dict[str, Any] = {
        "cause": "exited",
        "stdout": tmp_path / "out",
        "stderr": tmp_path / "err",
    } | end
    report = CommandProvider().collect(WorkerOutcome(scratch=tmp_path, **facts))
    fault = report.fault
    said = fault.detail if fault else report.summary
    assert (report.ok, fault.kind if fault else "", said) == expected
    assert (fault is None or fault.retryable) is (end["code"] != 127)
