"""The configuration that pi gets in each execution's home."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gitcto.api import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gitcto.api import AgentSettings, ToolServer

CUSTOM = "cto"
"""What the endpoint of ``base_url`` is called inside pi."""


def write_configuration(folder: Path, settings: AgentSettings, tools: Sequence[ToolServer]) -> None:
    """Write pi's files below ``PI_CODING_AGENT_DIR``. Raises ``CtoError``."""
    _write(folder / "settings.json", own_settings(settings.key_env))
    _write(folder / "models.json", models(settings))
    _write(folder / "mcp.json", tool_servers(tools, settings.key_env))


def own_settings(key_env: str) -> Mapping[str, Any]:
    """Return ``settings.json``: it asks a failing model once, and says nothing to anybody.

    Every command of its shell tool first forgets the key, which is in pi's environment.
    """
    told: dict[str, Any] = {
        "retry": {"enabled": False},
        "cacheWarming": "off",
        "defaultProjectTrust": "never",
        "enableAnalytics": False,
        "enableInstallTelemetry": False,
    }
    return told | {"shellCommandPrefix": f"unset {key_env}"} if key_env else told


def models(settings: AgentSettings) -> Mapping[str, Any]:
    """Return ``models.json``: the endpoint of ``base_url``, which speaks chat completions."""
    if not settings.base_url:
        return {"providers": {}}
    endpoint = {
        "baseUrl": settings.base_url,
        "api": "openai-completions",
        "apiKey": f"${settings.key_env}" if settings.key_env else "none",
        "models": [{"id": settings.model}],
    }
    return {"providers": {CUSTOM: endpoint}}


def tool_servers(tools: Sequence[ToolServer], key_env: str) -> Mapping[str, Any]:
    """Return ``mcp.json``: servers whose tools are offered like pi's own, and without the key."""
    servers = {
        tool.name: {
            "command": tool.argv[0],
            "args": list(tool.argv[1:]),
            "env": {name: _literal(value) for name, value in tool.env.items()}
            | ({key_env: ""} if key_env else {}),
            "exposure": "direct",
        }
        for tool in tools
    }
    return {"autoEnableCodemode": False, "mcpServers": servers}


def _literal(value: str) -> str:
    """Return a value that pi takes as it is: ``$`` names variables there, ``!`` runs commands."""
    escaped = value.replace("$", "$$")
    return f"${escaped}" if escaped.startswith("!") else escaped


def _write(path: Path, told: Mapping[str, Any]) -> None:
    write_private(path, json.dumps(told, indent=1) + "\n")
