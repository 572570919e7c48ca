"""How qwen is started: its command, its configuration, its environment."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gitcto_qwen.provider import QwenProvider

from gitcto.api import CtoError, LaunchRequest, ToolServer
from gitcto.testing.agents import asked_for


@pytest.fixture
def asked(tmp_path: Path) -> LaunchRequest:
    env = {"DASHSCOPE_API_KEY": "sk-1", "OTHER": "o"}
    return asked_for(tmp_path, "qwen", "node", settings={"model": "m"}, host_env=env)


def written(asked: LaunchRequest, name: str) -> dict[str, Any]:
    QwenProvider().launch(asked)
    found: dict[str, Any] = json.loads((asked.scratch / "home" / ".qwen" / name).read_text())
    return found


def test_the_command(asked: LaunchRequest, tmp_path: Path) -> None:
    argv = QwenProvider().launch(asked).argv
    node, program = str(tmp_path / "bin" / "node"), str(tmp_path / "bin" / "qwen")
    assert (argv[0], argv[1], argv[3]) == (node, "--require", program)
    assert "--safe-mode" in argv
    assert argv[11:13] == ("--approval-mode", "yolo")
    assert argv[-2] == "--prompt"
    assert str(tmp_path / "workspace") in argv[-1]
    assert "mend it" not in " ".join(argv)
    tool = ToolServer(name="cto", argv=("/bin/x",))
    schema = tmp_path / "schema.json"
    more = replace(asked, session="0b5f", edits=False, tools=(tool,), answer_schema=schema)
    argv = QwenProvider().launch(more).argv
    assert argv[11:13] == ("--approval-mode", "default")
    assert argv[-8:-2] == (
        *("--mcp-config", str(asked.scratch / "home" / ".qwen" / "servers.json")),
        *("--json-schema", f"@{schema}"),
        *("--resume", "0b5f"),
    )


def test_the_key_is_in_no_environment_and_no_setting(asked: LaunchRequest) -> None:
    launch = QwenProvider().launch(asked)
    assert "sk-1" not in str(launch)
    assert "OTHER" not in launch.env
    note = json.loads(Path(launch.env["CTO_ENTER"]).read_text())
    assert note["secrets"] == {"OPENAI_API_KEY": "sk-1"}
    tool = ToolServer(name="cto", argv=("/bin/x",), env={"A": "1"})
    server = written(replace(asked, tools=(tool,)), "servers.json")["mcpServers"]["cto"]
    assert (server["command"], server["env"], server["trust"]) == ("/bin/x", {"A": "1"}, True)


def test_a_server_that_wants_no_key(asked: LaunchRequest) -> None:
    launch = QwenProvider().launch(replace(asked, settings={"key_env": ""}))
    assert list(json.loads(Path(launch.env["CTO_ENTER"]).read_text())["secrets"].values()) == [
        "none"
    ]


def test_it_starts_where_no_repository_has_a_say(asked: LaunchRequest) -> None:
    launch = QwenProvider().launch(asked)
    start = Path(json.loads(Path(launch.env["CTO_ENTER"]).read_text())["directory"])
    assert start.is_relative_to(asked.scratch)
    home = asked.scratch / "home"
    for place in (start / ".qwen", start, home / ".qwen", home):
        assert (place / ".env").read_bytes() == b""
    assert launch.env["OPENAI_BASE_URL"].startswith("https://dashscope-intl.")


def test_it_asks_again_as_seldom_as_it_can(asked: LaunchRequest) -> None:
    settings = written(asked, "settings.json")
    assert settings["model"]["generationConfig"]["maxRetries"] == 0
    assert settings["security"]["auth"] == {"selectedType": "openai"}
    assert settings["privacy"] == {"usageStatisticsEnabled": False}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": ""}, "needs a model"),
        ({"base_url": ""}, "needs a model and a base_url"),
    ],
)
def test_what_cannot_be_used_is_said(
    asked: LaunchRequest, change: dict[str, object], message: str
) -> None:
    with pytest.raises(CtoError, match=message) as caught:
        QwenProvider().launch(replace(asked, settings=change))
    assert caught.value.hint
