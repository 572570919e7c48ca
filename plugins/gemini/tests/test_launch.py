"""How gemini is started: its command, its settings, its environment."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gitcto_gemini.provider import GeminiProvider

from gitcto.api import CtoError, LaunchRequest, ToolServer
from gitcto.testing.agents import asked_for


@pytest.fixture
def asked(tmp_path: Path) -> LaunchRequest:
    env = {"GEMINI_API_KEY": "sk-1", "OTHER": "o"}
    return asked_for(tmp_path, "gemini", "node", host_env=env)


def config(asked: LaunchRequest) -> dict[str, Any]:
    GeminiProvider().launch(asked)
    text = (asked.scratch / "home" / ".gemini" / "settings.json").read_text()
    written: dict[str, Any] = json.loads(text)
    return written


def test_the_command(asked: LaunchRequest, tmp_path: Path) -> None:
    argv = GeminiProvider().launch(asked).argv
    node, program = str(tmp_path / "bin" / "node"), str(tmp_path / "bin" / "gemini")
    assert (argv[0], argv[1], argv[3]) == (node, "--require", program)
    assert argv[4:12] == (
        *("--output-format", "stream-json", "--model", "gemini-2.5-pro"),
        *("--approval-mode", "yolo", "--include-directories", str(tmp_path / "workspace")),
    )
    assert argv[12:15] == ("--extensions", "none", "--prompt")
    assert str(tmp_path / "workspace") in argv[15]
    assert "mend it" not in " ".join(argv)
    more = GeminiProvider().launch(replace(asked, session="0b5f", edits=False)).argv
    assert more[14:16] == ("--resume", "0b5f")
    assert more[8:10] == ("--approval-mode", "default")


def test_the_key_is_in_no_environment_and_no_setting(asked: LaunchRequest) -> None:
    launch = GeminiProvider().launch(asked)
    assert "sk-1" not in str(launch)
    assert "OTHER" not in launch.env
    assert "sk-1" not in json.dumps(config(asked))
    note = json.loads(Path(launch.env["CTO_ENTER"]).read_text())
    assert note["secrets"] == {"GEMINI_API_KEY": "sk-1"}
    redaction = config(asked)["security"]["environmentVariableRedaction"]
    assert redaction["enabled"]
    assert "GEMINI_API_KEY" in redaction["blocked"]


def test_a_server_that_wants_no_key(asked: LaunchRequest) -> None:
    launch = GeminiProvider().launch(replace(asked, settings={"key_env": ""}))
    assert list(json.loads(Path(launch.env["CTO_ENTER"]).read_text())["secrets"].values()) == [
        "none"
    ]


def test_it_starts_where_no_repository_has_a_say(asked: LaunchRequest) -> None:
    launch = GeminiProvider().launch(asked)
    start = Path(json.loads(Path(launch.env["CTO_ENTER"]).read_text())["directory"])
    assert start.is_relative_to(asked.scratch)
    assert (start / ".gemini" / ".env").read_bytes() == b""
    assert launch.env["GOOGLE_GEMINI_BASE_URL"].startswith("https://generativelanguage.")
    own = replace(asked, settings={"base_url": "http://127.0.0.1:1/x"})
    assert GeminiProvider().launch(own).env["GOOGLE_GEMINI_BASE_URL"] == "http://127.0.0.1:1/x"
    assert launch.env["GEMINI_CLI_NO_RELAUNCH"] == "true"  # or it does not hear of a SIGTERM


def test_the_settings(asked: LaunchRequest) -> None:
    tool = ToolServer(name="cto", argv=("/bin/x", "a"), env={"A": "1"})
    written = config(replace(asked, tools=(tool,)))
    assert written["security"]["auth"] == {"selectedType": "gemini-api-key"}  # or it ends with 41
    server = written["mcpServers"]["cto"]
    assert (server["command"], server["args"], server["env"]) == ("/bin/x", ["a"], {"A": "1"})
    assert server["trust"] is True
    assert written["hooksConfig"] == {"enabled": False}
    assert written["privacy"] == {"usageStatisticsEnabled": False}
    assert written["general"]["enableAutoUpdate"] is False


def test_a_node_that_is_not_here_is_said(asked: LaunchRequest) -> None:
    with pytest.raises(CtoError, match="'nothing-here'"):
        GeminiProvider().launch(replace(asked, settings={"node": "nothing-here"}))
