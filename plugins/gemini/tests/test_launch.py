"""How gemini is started: its command, its settings, its environment."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gitcto_gemini.provider import GeminiProvider

from gitcto.api import CtoError, LaunchRequest, TaskSpec, ToolServer


@pytest.fixture
def asked(tmp_path: Path) -> LaunchRequest:
    for name in ("gemini", "node"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "prompt.md").write_text("- mend it")
    return LaunchRequest(
        task=TaskSpec(id="T-1", title="t", prompt="x"),
        execution="01e",
        attempt=1,
        workspace=tmp_path / "w",
        scratch=tmp_path / "s",
        prompt_file=tmp_path / "prompt.md",
        settings={},
        host_env={"PATH": str(tmp_path / "bin"), "GEMINI_API_KEY": "sk-1", "OTHER": "o"},
    )


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
        *("--approval-mode", "yolo", "--include-directories", str(tmp_path / "w")),
    )
    assert argv[12:15] == ("--extensions", "none", "--prompt")
    assert str(tmp_path / "w") in argv[15]
    assert "mend it" not in " ".join(argv)
    more = GeminiProvider().launch(replace(asked, session="0b5f", edits=False)).argv
    assert more[14:16] == ("--resume", "0b5f")
    assert more[8:10] == ("--approval-mode", "default")


def test_a_session_that_is_no_id_is_refused(asked: LaunchRequest) -> None:
    with pytest.raises(CtoError, match="session:id"):
        GeminiProvider().launch(replace(asked, session="--latest"))


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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": {"args": ["--yolo"]}}, "unknown key 'args'"),
        ({"settings": {"program": "nothing-here"}}, "'nothing-here'"),
        ({"settings": {"node": "nothing-here"}}, "'nothing-here'"),
        ({"settings": {"key_env": "NOT_SET"}}, "NOT_SET"),
    ],
)
def test_what_cannot_be_used_is_said(asked: LaunchRequest, change, message: str) -> None:
    with pytest.raises(CtoError, match=message) as caught:
        GeminiProvider().launch(replace(asked, **change))
    assert caught.value.hint
