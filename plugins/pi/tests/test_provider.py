"""How pi is started, and in which surroundings."""

from __future__ import annotations

import dataclasses
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from gitcto_pi.provider import PiProvider

from gitcto.api import CtoError, Launch, LaunchRequest, Letter, ToolServer
from gitcto.mailbox import make_mailbox
from gitcto.testing.agents import asked_for

KEY = "sk-only-for-pi"


@pytest.fixture
def request_(tmp_path: Path) -> LaunchRequest:
    settings = {"model": "m-1", "base_url": "http://127.0.0.1:9/v1", "key_env": "MY_KEY"}
    env = {"MY_KEY": KEY, "HOME": "/srv/ada"}
    return asked_for(tmp_path, "pi", prompt="Fix it.", settings=settings, host_env=env)


def configured(request: LaunchRequest, name: str) -> Any:
    return json.loads((request.scratch / "home" / "pi" / name).read_text())


def after_the_driver(launch: Launch) -> tuple[str, ...]:
    return launch.argv[launch.argv.index("--") + 1 :]


def test_the_driver_is_started_and_starts_pi_without_anything_of_the_repository(
    request_: LaunchRequest,
) -> None:
    launch = PiProvider().launch(request_)
    assert launch.argv[:4] == (sys.executable, "-I", "-m", "gitcto_pi.driver")
    argv = after_the_driver(launch)
    assert argv[0] == request_.host_env["PATH"] + "/pi"
    no = {"approve", "extensions", "skills", "prompt-templates", "themes", "context-files"}
    assert {f"--no-{what}" for what in no} <= set(argv)
    sessions = str(request_.scratch / "home" / "pi" / "sessions")
    assert argv[argv.index("--session-dir") + 1] == sessions
    assert argv[argv.index("--model") + 1] == "cto/m-1"
    assert not {"--session", "--tools", "--extension"} & set(argv)


def test_the_key_is_in_the_one_file_that_the_driver_removes(request_: LaunchRequest) -> None:
    tool = ToolServer(name="cto", argv=("serve", "--x"), env={"A": "$B!", "C": "!run"})
    launch = PiProvider().launch(dataclasses.replace(request_, tools=(tool,)))
    assert not any(KEY in told for told in (*launch.argv, *launch.env.values()))
    files = [path for path in request_.scratch.rglob("*") if path.is_file()]
    holds = [path for path in files if KEY in path.read_text()]
    assert holds == [Path(launch.argv[launch.argv.index("--forget") + 1])]
    server = configured(request_, "mcp.json")["mcpServers"]["cto"]
    assert server["env"] == {"A": "$$B!", "C": "$!run"}
    assert (server["command"], server["args"]) == ("serve", ["--x"])


def test_pi_says_nothing_to_anybody_and_asks_once(request_: LaunchRequest) -> None:
    launch = PiProvider().launch(request_)
    silent = {"PI_OFFLINE": "1", "PI_TELEMETRY": "0", "PI_SKIP_VERSION_CHECK": "1"}
    assert silent.items() <= launch.env.items()
    assert launch.env["PI_CODING_AGENT_DIR"] == str(request_.scratch / "home" / "pi")
    assert configured(request_, "settings.json")["retry"] == {"enabled": False}
    modes = [path.stat().st_mode for path in (request_.scratch / "home" / "pi").iterdir()]
    assert all(stat.S_IMODE(mode) == 0o600 for mode in modes)


def test_an_endpoint_of_its_own_or_the_vendors(request_: LaunchRequest) -> None:
    PiProvider().launch(request_)
    assert configured(request_, "models.json")["providers"]["cto"] == {
        "baseUrl": "http://127.0.0.1:9/v1",
        "api": "openai-completions",
        "apiKey": KEY,
        "models": [{"id": "m-1"}],
    }
    settings = {"model": "vendor/m-2", "key_env": "MY_KEY"}
    launch = PiProvider().launch(dataclasses.replace(request_, settings=settings))
    assert configured(request_, "models.json") == {"providers": {"vendor": {"apiKey": KEY}}}
    assert "vendor/m-2" in launch.argv


def test_a_reader_gets_no_tool_that_changes_anything(request_: LaunchRequest) -> None:
    argv = after_the_driver(PiProvider().launch(dataclasses.replace(request_, edits=False)))
    assert argv[argv.index("--tools") + 1].split(",") == ["read", "grep", "find", "ls", "mcp__*"]


def test_a_session_goes_on_and_letters_of_the_prompt_are_named(request_: LaunchRequest) -> None:
    letters = [Letter(number=number, sender="a", subject="s") for number in (3, 12)]
    make_mailbox(request_.scratch, letters)
    launch = PiProvider().launch(dataclasses.replace(request_, session="s-1"))
    assert launch.argv[launch.argv.index("--told") + 1] == "3,12"
    argv = after_the_driver(launch)
    assert argv[argv.index("--session") + 1] == "s-1"


def test_a_model_is_needed(request_: LaunchRequest) -> None:
    settings = {**request_.settings, "model": ""}
    with pytest.raises(CtoError, match="it needs a model") as refused:
        PiProvider().launch(dataclasses.replace(request_, settings=settings))
    assert refused.value.hint


def test_probe_wants_pi_and_a_node_that_is_new_enough(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path / "bin")}
    probe = PiProvider().probe({}, env)
    assert not probe.available
    assert "Node.js 22.19" in probe.hint
    _install(tmp_path, "node", "20.20.2")
    assert "Node.js 22.19" in PiProvider().probe({}, env).hint
    _install(tmp_path, "node", "22.23.3")
    assert "@earendil-works/pi-coding-agent" in PiProvider().probe({}, env).hint
    _install(tmp_path, "pi", "1.6.0")
    probe = PiProvider().probe({}, env)
    assert (probe.available, probe.version) == (True, "1.6.0")
    assert probe.backend is not None
    assert probe.backend.licence == "MIT"


def _install(folder: Path, name: str, version: str) -> None:
    package = folder / "node_modules" / name
    package.mkdir(parents=True, exist_ok=True)
    manifest = {"name": name, "version": version, "license": "MIT"}
    (package / "package.json").write_text(json.dumps(manifest))
    (package / name).write_text("#!/usr/bin/env node\n" if name == "pi" else "\x7fELF")
    (package / name).chmod(0o755)
    (folder / "bin").mkdir(exist_ok=True)
    link = folder / "bin" / name
    if not link.is_symlink():
        link.symlink_to(package / name)
