"""The configuration that opencode gets in each execution's home."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gitcto.api import discard, write_private

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


def key_file(home: Path) -> Path:
    """Return where the key is until opencode has read it."""
    return home / ".config" / "opencode" / "key"


def configuration(
    settings: AgentSettings, home: Path, tools: Sequence[ToolServer], *, edits: bool
) -> Mapping[str, Any]:
    """Return what goes into ``OPENCODE_CONFIG_CONTENT``."""
    model = f"{CUSTOM}/{settings.model}" if settings.base_url else settings.model
    provider = model.partition("/")[0]
    return {
        "autoupdate": False,
        "share": "disabled",
        "snapshot": False,
        "lsp": False,
        "formatter": False,
        "model": model,
        "small_model": model,
        "enabled_providers": [provider],
        "provider": {provider: _endpoint(settings, home)},
        "permission": WRITES if edits else READS | {f"{tool.name}_*": "allow" for tool in tools},
        "mcp": {tool.name: _server(tool) for tool in tools},
    }


def write_configuration(home: Path, key: str) -> None:
    """Write what opencode reads from its configuration directory. Raises ``CtoError``.

    Nothing that an earlier run has put there is left: opencode would run its plugins. An installed
    plugin is only taken from there, and opencode installs a package of its own into that directory,
    from the network, unless it looks as if it had done that.
    """
    folder = home / ".config" / "opencode"
    discard(folder)
    write_private(folder / "package.json", "{}\n")
    write_private(folder / "package-lock.json", json.dumps(_NO_INSTALL) + "\n")
    write_private(folder / "node_modules" / ".package-lock.json", json.dumps(_NO_INSTALL) + "\n")
    guard = files("gitcto_opencode").joinpath("guard.js").read_text(encoding="utf-8")
    write_private(folder / "plugin" / "cto_guard.js", guard)
    if key:
        write_private(key_file(home), key)


def _endpoint(settings: AgentSettings, home: Path) -> Mapping[str, Any]:
    """Return the endpoint of ``base_url``, which speaks chat completions, or the vendor's.

    The package that speaks it is part of opencode: nothing is downloaded.
    """
    secret = {"apiKey": f"{{file:{key_file(home)}}}"} if settings.key_env else {}
    if not settings.base_url:
        return {"options": secret}
    return {
        "npm": "@ai-sdk/openai-compatible",
        "name": CUSTOM,
        "options": {"baseURL": settings.base_url, "apiKey": "none"} | secret,
        "models": {settings.model: {"name": settings.model, "tool_call": True}},
    }


def _server(tool: ToolServer) -> Mapping[str, Any]:
    return {
        "type": "local",
        "command": list(tool.argv),
        "environment": dict(tool.env),
        "enabled": True,
    }
