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
    return {
        "mcpServers": {
            tool.name: {
                "command": tool.argv[0],
                "args": list(tool.argv[1:]),
                "env": dict(tool.env),
                "cwd": str(request.workspace),
                "trust": True,
            }
            for tool in request.tools
        }
    }


def words(request: LaunchRequest) -> str:
    """Return what qwen is told after its task: it does not start where its work is."""
    place = request.workspace
    return (
        f"Your workspace is the directory {place}: that is the current directory of the task, and"
        f" your commands begin there. Give the path of every file as an absolute path in it."
    )
