"""The configuration of one execution: nothing phones home, nothing of a repository is obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitcto.api import LaunchRequest

KEY, URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"

IDLE_MS = 300_000
"""How long its model's server may say nothing (milliseconds)."""


def config() -> dict[str, Any]:
    """Return what qwen's user settings are in an execution."""
    return {
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        # It repeats a request seven times in 75 s whatever it is told; not each of them again.
        "model": {"generationConfig": {"maxRetries": 0, "timeout": IDLE_MS}},
        "privacy": {"usageStatisticsEnabled": False},
        "security": {"auth": {"selectedType": "openai"}, "folderTrust": {"enabled": False}},
        "telemetry": {"enabled": False},
    }


def servers(request: LaunchRequest) -> dict[str, Any]:
    """Return the MCP servers of an execution."""
    place = str(request.workspace)
    return {"mcpServers": {tool.name: tool.table(cwd=place, trust=True) for tool in request.tools}}
