from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from gitcto_claude.provider import ClaudeProvider

from gitcto.api import LaunchRequest, ToolServer
from gitcto.testing.agents import asked_for

if TYPE_CHECKING:
    from pathlib import Path

KEY = "canary-31415"


@pytest.fixture
def request_(tmp_path: Path) -> LaunchRequest:
    return asked_for(
        tmp_path,
        "claude",
        prompt="--version is what you print",
        settings={"model": "claude-sonnet-4-5", "base_url": "http://127.0.0.1:9/s"},
        host_env={"ANTHROPIC_API_KEY": KEY, "OTHER": "canary"},
    )


def after(argv: tuple[str, ...], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_a_run_that_edits(request_: LaunchRequest) -> None:
    launch = ClaudeProvider().launch(request_)
    argv, home = launch.argv, request_.scratch / "home"
    assert argv[-2:] == ("--", "--version is what you print")
    assert after(argv, "--setting-sources") == "user"
    assert "--strict-mcp-config" in argv
    assert after(argv, "--permission-mode") == "acceptEdits"
    assert "IS_SANDBOX" not in launch.env
    assert after(argv, "--model") == "claude-sonnet-4-5"
    assert "--resume" not in argv
    assert launch.env["CLAUDE_CONFIG_DIR"] == str(home / ".claude")
    assert launch.env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9/s"
    assert KEY not in f"{argv} {launch.env}"
    assert (home / ".claude" / "key").read_text() == KEY
    assert (home / ".claude" / "key").stat().st_mode & 0o777 == 0o600
    assert f"cat {home}/.claude/key" in (home / ".claude" / "settings.json").read_text()
    assert "OTHER" not in launch.env
    quiet = {name for name in launch.env if "DISABLE" in name}
    assert launch.env["CLAUDE_CODE_MAX_RETRIES"] == "1"
    assert quiet == {
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "DISABLE_AUTOUPDATER",
        "DISABLE_BUG_COMMAND",
        "DISABLE_ERROR_REPORTING",
        "DISABLE_TELEMETRY",
    }


def test_a_sandbox_is_the_limit_where_there_is_one(request_: LaunchRequest) -> None:
    launch = ClaudeProvider().launch(dataclasses.replace(request_, level="strict"))
    assert after(launch.argv, "--permission-mode") == "bypassPermissions"
    assert launch.env["IS_SANDBOX"] == "1"


def test_a_run_that_reads_has_no_tool_that_writes(request_: LaunchRequest, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    request = dataclasses.replace(request_, edits=False, session="1111-2222", answer_schema=schema)
    argv = ClaudeProvider().launch(request).argv
    assert after(argv, "--permission-mode") == "dontAsk"
    assert after(argv, "--tools") == "Glob,Grep,Read"
    assert "--allowedTools" not in argv
    assert after(argv, "--resume") == "1111-2222"
    assert after(argv, "--json-schema") == '{"type": "object"}'


def test_tools_are_ours_alone(request_: LaunchRequest) -> None:
    server = ToolServer(name="cto", argv=("/bin/server", "--stdio"), env={"A": "b"})
    argv = ClaudeProvider().launch(dataclasses.replace(request_, tools=(server,))).argv
    assert "mcp__cto" in argv
    file = request_.scratch / "home" / ".claude" / "servers.json"
    assert after(argv, "--mcp-config") == str(file)
    assert json.loads(file.read_text()) == {
        "mcpServers": {
            "cto": {
                "type": "stdio",
                "command": "/bin/server",
                "args": ["--stdio"],
                "env": {"A": "b"},
            }
        }
    }


def test_its_licence_is_said(request_: LaunchRequest) -> None:
    probe = ClaudeProvider().probe({}, request_.host_env)
    assert (probe.available, probe.backend.licence) == (True, "LicenseRef-Anthropic")


def test_what_is_not_installed_is_said_with_its_licence() -> None:
    probe = ClaudeProvider().probe({}, {"PATH": "/nowhere"})
    assert not probe.available
    assert "licence is Anthropic's" in probe.hint
