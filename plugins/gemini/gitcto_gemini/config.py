"""The settings of one execution: nothing phones home, nothing of a repository is obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitcto.api import LaunchRequest

KEY, URL = "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"

ATTEMPTS = 2
"""How often gemini asks its model before it gives up; waiting for longer is ours to do."""

NO_WEB = ("google_web_search", "web_fetch")
"""Tools that reach out past the sandbox, through the model's own server."""

NOT_HEADLESS = ("enter_plan_mode", "exit_plan_mode")


def config(request: LaunchRequest) -> dict[str, Any]:
    """Return what gemini's user settings are in an execution."""
    return {
        "general": {
            "checkpointing": {"enabled": False},
            "enableAutoUpdate": False,
            "enableAutoUpdateNotification": False,
            "maxAttempts": ATTEMPTS,
            "plan": {"enabled": False},
            "retryFetchErrors": False,
            "sessionRetention": {"enabled": False},
        },
        "advanced": {"ignoreLocalEnv": True},
        "experimental": {"enableAgents": False},
        "hooksConfig": {"enabled": False},
        "ide": {"enabled": False},
        "mcpServers": {
            tool.name: tool.table(cwd=str(request.workspace), trust=True) for tool in request.tools
        },
        "privacy": {"usageStatisticsEnabled": False},
        "security": {
            "auth": {"selectedType": "gemini-api-key"},
            "environmentVariableRedaction": {"enabled": True, "blocked": [KEY, URL]},
            "folderTrust": {"enabled": False},
        },
        "skills": {"enabled": False},
        "telemetry": {"enabled": False},
        "tools": {
            "exclude": [*NO_WEB, *NOT_HEADLESS],
            "shell": {"enableInteractiveShell": False},
        },
        "ui": {"hideBanner": True},
    }
