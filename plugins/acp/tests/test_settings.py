from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_acp.provider import AcpProvider
from gitcto_acp.settings import read

from gitcto.api import CtoError, ExitCode

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "argv is empty"),
        ({"argv": []}, "argv is empty"),
        ({"argv": [""]}, "argv is empty"),
        ({"argv": "gemini --acp"}, "argv must be a list of strings"),
        ({"argv": ["gemini", 1]}, "argv must be a list of strings"),
        ({"argv": ["a/b"]}, "cannot be looked up"),
        ({"argv": ["a"], "program": "b"}, "program and argv do not fit"),
        ({"argv": ["{program}"]}, "program and argv do not fit"),
        ({"argv": ["a"], "args": ["-x"]}, "unknown key 'args'"),
        ({"argv": ["a"], "env": {"A": 1}}, "env must be a table of strings"),
        ({"argv": ["a"], "files": "x"}, "files must be a table of strings"),
        ({"argv": ["a"], "files": {"/etc/x": ""}}, "does not lie in the agent's home"),
        ({"argv": ["a"], "files": {"a/../../x": ""}}, "does not lie in the agent's home"),
        ({"argv": ["a"], "files": {"": ""}}, "does not lie in the agent's home"),
        ({"argv": ["a"], "edit_mode": 1}, "edit_mode must be one line"),
        ({"argv": ["a"], "base_url": "ftp://x"}, "cannot be used"),
    ],
)
def test_bad_settings_are_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(CtoError) as caught:
        read(table)
    assert message in caught.value.message
    assert caught.value.exit_code == ExitCode.POLICY


def test_argv_may_begin_with_the_program_of_policy() -> None:
    settings = read({"argv": ["{program}", "--acp"], "program": "my-agent"})
    assert settings.agent.program == "my-agent"
    assert settings.started == ("my-agent", "--acp")


def test_a_key_is_no_word_of_a_command(rig: Any) -> None:
    rig.settings = {"argv": ["agent", "--key={key}"]}
    with pytest.raises(CtoError, match="unknown placeholder"):
        AcpProvider().launch(rig.request({"turns": []}))


def test_the_agent_is_looked_for_where_the_worker_would_find_it(tmp_path: Path) -> None:
    program = tmp_path / "my-agent"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    provider, settings = AcpProvider(), {"argv": ["my-agent", "--acp"]}
    path = os.pathsep.join((str(tmp_path), os.defpath))
    found = provider.probe(settings, {"PATH": path})
    assert (found.available, found.backend is not None) == (True, True)
    missing = provider.probe(settings, {"PATH": "/nowhere"})
    assert (missing.available, "'my-agent' is not here" in missing.hint) == (False, True)
