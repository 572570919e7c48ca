"""Three agents that speak the Agent Client Protocol, and how their models call their tools."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitcto.testing.agent_rig import AgentCli, Different
from tests.real.installed import AGENTS, native

if TYPE_CHECKING:
    from collections.abc import Mapping

FREE = Different(why="in a sandbox that confines, it is allowed everything it asks for")
THEIRS = Different(why="what it takes from the repository is for its configuration to say")
NO_PAST = Different(why="gemini 0.61 overwrites its session when it is to load it")
IN_ITS_ENVIRONMENT = Different(
    why="the key is where policy puts it for this agent: in its environment"
)

_GEMINI = AGENTS / "gemini/node_modules/@google/gemini-cli"
_GEMINI_SETTINGS = {
    "general": {"maxAttempts": 1, "retryFetchErrors": False, "enableAutoUpdate": False},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
    "tools": {"shell": {"enableInteractiveShell": False}},
}
_CODEX_CONFIG = """
model = "gpt-5.5"
model_provider = "own"
check_for_update_on_startup = false
approval_policy = "on-request"
sandbox_mode = "danger-full-access"
web_search = "disabled"
analytics.enabled = false
feedback.enabled = false
features = {{ plugins = false, apps = false, remote_plugin = false, shell_snapshot = false }}
shell_environment_policy.inherit = "core"
[model_providers.own]
name = "own"
base_url = "{base_url}"
wire_api = "responses"
env_key = "AGENT_KEY"
requires_openai_auth = false
supports_websockets = false
request_max_retries = 0
stream_max_retries = 0
"""
_OPENCODE_QUIET = (
    "AUTOUPDATE",
    "MODELS_FETCH",
    "LSP_DOWNLOAD",
    "DEFAULT_PLUGINS",
    "PROJECT_CONFIG",
)


def escaped(document: object) -> str:
    """Return a document as JSON in a template."""
    return json.dumps(document).replace("{", "{{").replace("}", "}}")


def gemini_table(url: str) -> dict[str, Any]:
    quiet = ("GEMINI_CLI_NO_RELAUNCH", "GEMINI_CLI_TRUST_WORKSPACE", "NO_BROWSER")
    env = {"GEMINI_API_KEY": "{key}", "GOOGLE_GEMINI_BASE_URL": "{base_url}"}
    return {
        "argv": ["{program}", str(_GEMINI / "bundle/gemini.js"), "--acp", "-m", "{model}"],
        "base_url": url,
        "model": "gemini-2.5-flash",
        "env": env | dict.fromkeys(quiet, "true"),
        "files": {".gemini/settings.json": escaped(_GEMINI_SETTINGS)},
    }


def gemini_shell(command: str) -> dict[str, Any]:
    return {"tool": "run_shell_command", "args": {"command": command, "description": "d"}}


def gemini_edit(path: Path, content: str) -> list[dict[str, Any]]:
    return [{"tool": "write_file", "args": {"file_path": str(path), "content": content}}]


def gemini_call(server: str, tool: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"tool": f"mcp_{server}_{tool}", "args": args}


def codex_table(url: str) -> dict[str, Any]:
    return {
        "argv": ["{program}"],
        "base_url": f"{url}/v1",
        "env": {"CODEX_HOME": "{home}/.codex", "AGENT_KEY": "{key}"},
        "files": {".codex/config.toml": _CODEX_CONFIG},
        "edit_mode": "full-access",
        "read_mode": "full-access",
    }


def codex_shell(command: str) -> dict[str, Any]:
    return {"tool": "exec_command", "args": {"cmd": command, "yield_time_ms": 5000}}


def codex_edit(path: Path, content: str) -> list[dict[str, Any]]:
    return [codex_shell(f"cat > {path.name} <<'END'\n{content}END")]


def codex_call(server: str, tool: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"tool": tool, "namespace": f"mcp__{server}", "args": args}


def opencode_table(url: str) -> dict[str, Any]:
    options = {"baseURL": f"{url}/v1", "apiKey": "none"}
    model = {"tool_call": True, "limit": {"context": 128000, "output": 8000}}
    provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"m": model}}
    config = {
        "autoupdate": False,
        "share": "disabled",
        "snapshot": False,
        "model": "own/m",
        "small_model": "own/m",
        "enabled_providers": ["own"],
        "provider": {"own": provider},
        "permission": {"edit": "ask", "bash": "allow"},
    }
    return {
        "argv": ["{program}", "acp"],
        "env": {f"OPENCODE_DISABLE_{name}": "1" for name in _OPENCODE_QUIET},
        "files": {".config/opencode/opencode.json": escaped(config)},
    }


def opencode_shell(command: str) -> dict[str, Any]:
    return {"tool": "bash", "args": {"command": command, "description": "d"}}


def opencode_edit(path: Path, content: str) -> list[dict[str, Any]]:
    return [{"tool": "write", "args": {"filePath": str(path), "content": content}}]


def opencode_call(server: str, tool: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"tool": f"{server}_{tool}", "args": args}


def no_step(workspace: Path) -> dict[str, Any]:
    raise AssertionError(f"there is nothing that it is not allowed in {workspace}")


def nothing(repo: Path, url: str, canary: Path) -> None:
    raise AssertionError(f"{repo}, {url}, {canary}")


CLI = AgentCli(
    provider="acp",
    package=_GEMINI,
    program=Path(shutil.which("node") or "/usr/bin/node"),
    table=gemini_table,
    shell=gemini_shell,
    edit=gemini_edit,
    call=gemini_call,
    forbidden=no_step,
    hostile=nothing,
    differs={
        "refused": FREE,
        "hostile repository": THEIRS,
        "key": IN_ITS_ENVIRONMENT,
        "resume": NO_PAST,
    },
    wall_s=20.0,
)
"""gemini, for the page about providers."""

CODEX = AgentCli(
    provider="acp",
    package=AGENTS / "codex-acp/node_modules/@zed-industries/codex-acp",
    program=native("codex-acp/node_modules/@zed-industries/codex-acp-linux-x64/bin/codex-acp"),
    table=codex_table,
    shell=codex_shell,
    edit=codex_edit,
    call=codex_call,
    forbidden=no_step,
    hostile=nothing,
)

OPENCODE = AgentCli(
    provider="acp",
    package=AGENTS / "opencode/node_modules/opencode-linux-x64",
    program=native("opencode/node_modules/opencode-linux-x64/bin/opencode"),
    table=opencode_table,
    shell=opencode_shell,
    edit=opencode_edit,
    call=opencode_call,
    forbidden=no_step,
    hostile=nothing,
    wall_s=30.0,
)
