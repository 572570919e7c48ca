"""How opencode is started, and in which surroundings."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from gitcto_opencode.provider import OpencodeProvider

from gitcto.api import CtoError, Launch, LaunchRequest, ToolServer
from gitcto.testing.agents import asked_for

KEY = "sk-only-for-opencode"
TOOL = ToolServer(name="cto", argv=("serve", "--x"), env={"A": "b"})


@pytest.fixture
def request_(tmp_path: Path) -> LaunchRequest:
    settings = {"model": "m-1", "base_url": "http://127.0.0.1:9/v1", "key_env": "MY_KEY"}
    env = {"MY_KEY": KEY, "HOME": "/srv/ada"}
    return asked_for(tmp_path, "opencode", prompt="-fix it", settings=settings, host_env=env)


def configured(launch: Launch) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(launch.env["OPENCODE_CONFIG_CONTENT"])
    return found


def test_one_turn_with_the_prompt_as_the_last_argument(request_: LaunchRequest) -> None:
    argv = OpencodeProvider().launch(request_).argv
    assert argv == (
        *(request_.host_env["PATH"] + "/opencode", "run", "--format", "json"),
        *("--thinking", "--title", "01e", "--", "-fix it"),
    )
    again = OpencodeProvider().launch(dataclasses.replace(request_, session="ses_1"))
    assert again.argv[-4:] == ("--session", "ses_1", "--", "-fix it")


def test_nothing_of_the_repository_or_the_network_is_taken(request_: LaunchRequest) -> None:
    launch = OpencodeProvider().launch(request_)
    off = ("PROJECT_CONFIG", "AUTOUPDATE", "MODELS_FETCH", "CLAUDE_CODE", "SHARE")
    assert {f"OPENCODE_DISABLE_{what}": "1" for what in off}.items() <= launch.env.items()
    home = request_.scratch / "home"
    assert launch.env["XDG_CONFIG_HOME"] == str(home / ".config")
    folder = home / ".config" / "opencode"
    assert (folder / "node_modules").is_dir()
    assert "@opencode-ai/plugin" in (folder / "package-lock.json").read_text()
    told = configured(launch)
    assert (told["enabled_providers"], told["share"]) == (["cto"], "disabled")


def test_the_key_is_in_the_one_file_that_the_guard_removes(request_: LaunchRequest) -> None:
    launch = OpencodeProvider().launch(dataclasses.replace(request_, tools=(TOOL,)))
    assert not any(KEY in told for told in (*launch.argv, *launch.env.values()))
    files = [path for path in request_.scratch.rglob("*") if path.is_file()]
    holds = [path for path in files if KEY in path.read_text()]
    assert holds == [Path(launch.env["CTO_KEY_FILE"])]
    guard = request_.scratch / "home" / ".config" / "opencode" / "plugin" / "cto_guard.js"
    assert "CTO_KEY_FILE" in guard.read_text()
    told = configured(launch)
    assert told["provider"]["cto"]["options"]["apiKey"] == f"{{file:{holds[0]}}}"
    assert told["mcp"]["cto"] == {
        "type": "local",
        "command": ["serve", "--x"],
        "environment": {"A": "b"},
        "enabled": True,
    }


def test_nobody_is_asked_and_a_reader_changes_nothing(request_: LaunchRequest) -> None:
    provider = OpencodeProvider()
    writes = configured(provider.launch(request_))["permission"]
    assert writes["*"] == "allow"
    assert "ask" not in writes.values()
    reader = dataclasses.replace(request_, edits=False, tools=(TOOL,))
    reads = configured(provider.launch(reader))["permission"]
    assert reads["*"] == "deny"
    allowed = {name for name, verdict in reads.items() if verdict == "allow"}
    assert allowed == {"cto_*", "glob", "grep", "list", "read"}


def test_the_vendors_endpoint(request_: LaunchRequest) -> None:
    settings = {"model": "vendor/m-2"}
    request = dataclasses.replace(request_, settings=settings)
    told = configured(OpencodeProvider().launch(request))
    assert (told["model"], told["enabled_providers"], told["provider"]) == (
        "vendor/m-2",
        ["vendor"],
        {"vendor": {"options": {}}},
    )


def test_a_model_is_needed(request_: LaunchRequest) -> None:
    settings = {**request_.settings, "model": ""}
    with pytest.raises(CtoError, match="it needs a model") as refused:
        OpencodeProvider().launch(dataclasses.replace(request_, settings=settings))
    assert refused.value.hint


def test_what_is_executed_is_the_native_file(request_: LaunchRequest) -> None:
    Path(request_.host_env["PATH"], "opencode").write_bytes(b"\x7fELF")
    probe = OpencodeProvider().probe({}, request_.host_env)
    assert probe.available
    assert probe.backend is not None
    assert [path.name for path in probe.backend.files] == ["opencode"]
    assert not OpencodeProvider().probe({}, {}).available
