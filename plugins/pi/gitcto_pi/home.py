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

MODELS = "models.json"
"""The file with the key. pi reads it once, when it starts; then the driver removes it."""

SETTINGS: Mapping[str, Any] = {
    "retry": {"enabled": False},
    "cacheWarming": "off",
    "defaultProjectTrust": "never",
    "enableAnalytics": False,
    "enableInstallTelemetry": False,
}
"""It asks a failing model once, and says nothing to anybody."""


def write_configuration(
    folder: Path, settings: AgentSettings, key: str, tools: Sequence[ToolServer]
) -> None:
    """Write pi's files below ``PI_CODING_AGENT_DIR``. Raises ``CtoError``."""
    _write(folder / "settings.json", SETTINGS)
    _write(folder / MODELS, models(settings, key))
    _write(folder / "mcp.json", tool_servers(tools))


def models(settings: AgentSettings, key: str) -> Mapping[str, Any]:
    """Return ``models.json``: the endpoint of ``base_url``, or the vendor's, with the key.

    An endpoint of one's own speaks chat completions.
    """
    secret = {"apiKey": _literal(key)} if key else {}
    if not settings.base_url:
        vendor = settings.model.partition("/")[0]
        return {"providers": {vendor: secret} if secret else {}}
    endpoint = {
        "baseUrl": settings.base_url,
        "api": "openai-completions",
        "apiKey": "none",
        "models": [{"id": settings.model}],
    }
    return {"providers": {CUSTOM: endpoint | secret}}


def tool_servers(tools: Sequence[ToolServer]) -> Mapping[str, Any]:
    """Return ``mcp.json``: servers whose tools are offered like pi's own."""
    servers = {
        tool.name: tool.table(
            env={name: _literal(value) for name, value in tool.env.items()}, exposure="direct"
        )
        for tool in tools
    }
    return {"autoEnableCodemode": False, "mcpServers": servers}


def _literal(value: str) -> str:
    """Return a value that pi takes as it is: ``$`` names variables there, ``!`` runs commands."""
    escaped = value.replace("$", "$$")
    return f"${escaped}" if escaped.startswith("!") else escaped


def _write(path: Path, told: Mapping[str, Any]) -> None:
    write_private(path, json.dumps(told, indent=1) + "\n")
