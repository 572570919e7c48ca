"""The configuration that opencode gets in each execution's home."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gitcto.api import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitcto.api import AgentSettings, ToolServer

CUSTOM = "cto"
"""What the endpoint of ``base_url`` is called inside opencode."""

SILENT: Mapping[str, str] = dict.fromkeys(
    (
        "OPENCODE_DISABLE_AUTOUPDATE",
        "OPENCODE_DISABLE_CLAUDE_CODE",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS",
        "OPENCODE_DISABLE_EXTERNAL_SKILLS",
        "OPENCODE_DISABLE_LSP_DOWNLOAD",
        "OPENCODE_DISABLE_MODELS_FETCH",
        "OPENCODE_DISABLE_PROJECT_CONFIG",
        "OPENCODE_DISABLE_SHARE",
        "NO_COLOR",
    ),
    "1",
)
"""Nothing is downloaded, told to anybody, or taken from the repository."""

WRITES = {
    "*": "allow",
    "doom_loop": "deny",
    "question": "deny",
    "webfetch": "deny",
    "websearch": "deny",
}
"""What is not allowed must be denied: nobody is there to be asked, and ``ask`` ends the turn.

Files outside the workspace are the sandbox's business.
"""

READS = {"*": "deny", "glob": "allow", "grep": "allow", "list": "allow", "read": "allow"}

_NO_INSTALL = {"packages": {"": {"dependencies": {"@opencode-ai/plugin": "*"}}}}


def configuration(
    settings: AgentSettings, tools: Sequence[ToolServer], *, edits: bool
) -> Mapping[str, Any]:
    """Return what goes into ``OPENCODE_CONFIG_CONTENT``."""
    own = bool(settings.base_url)
    model = f"{CUSTOM}/{settings.model}" if own else settings.model
    return {
        "autoupdate": False,
        "share": "disabled",
        "snapshot": False,
        "lsp": False,
        "formatter": False,
        "model": model,
        "small_model": model,
        "enabled_providers": [model.partition("/")[0]],
        "provider": {CUSTOM: _endpoint(settings)} if own else {},
        "permission": WRITES if edits else READS | {f"{tool.name}_*": "allow" for tool in tools},
        "mcp": {tool.name: _server(tool, settings.key_env) for tool in tools},
    }


def write_configuration(home: Path) -> None:
    """Write what opencode reads from its configuration directory. Raises ``CtoError``.

    An installed plugin is only taken from there, and opencode installs a package of its own into
    that directory, from the network, unless it looks as if it had done that.
    """
    folder = home / ".config" / "opencode"
    write_private(folder / "package.json", "{}\n")
    write_private(folder / "package-lock.json", json.dumps(_NO_INSTALL) + "\n")
    write_private(folder / "node_modules" / ".package-lock.json", json.dumps(_NO_INSTALL) + "\n")
    guard = files("gitcto_opencode").joinpath("guard.js").read_text(encoding="utf-8")
    write_private(folder / "plugin" / "cto_guard.js", guard)


def _endpoint(settings: AgentSettings) -> Mapping[str, Any]:
    """Return the endpoint of ``base_url``, which speaks chat completions.

    The package that speaks it is part of opencode: nothing is downloaded.
    """
    key = f"{{env:{settings.key_env}}}" if settings.key_env else "none"
    return {
        "npm": "@ai-sdk/openai-compatible",
        "name": CUSTOM,
        "options": {"baseURL": settings.base_url, "apiKey": key},
        "models": {settings.model: {"name": settings.model, "tool_call": True}},
    }


def _server(tool: ToolServer, key_env: str) -> Mapping[str, Any]:
    """Return an MCP server, which gets opencode's environment, but for the key."""
    hidden = {key_env: ""} if key_env else {}
    return {
        "type": "local",
        "command": list(tool.argv),
        "environment": dict(tool.env) | hidden,
        "enabled": True,
    }
