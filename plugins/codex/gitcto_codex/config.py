"""The ``config.toml`` of one execution: nothing phones home, nothing of a repository is obeyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitcto.api import AgentSettings, LaunchRequest, ToolServer

OPENAI = "https://api.openai.com/v1"
"""Where a model is asked when policy names no ``base_url``."""

RETRIES = 1
"""How often codex repeats a request, and a stream (the two multiply); the rest is ours to do."""

IDLE_MS = 300_000
"""How long a stream may say nothing (milliseconds)."""

_OFF = (
    "apps",
    "daemon_auto_start",
    "goals",
    "in_app_updates",
    "plugins",
    "remote_plugin",
    "shell_snapshot",
    "skill_mcp_dependency_install",
    "tool_suggest",
    "unbounded_connection_retries",
)
"""Features that reach out, start something of their own, or never give up."""

_FIXED: Mapping[str, Mapping[str, object]] = {
    "analytics": {"enabled": False},
    "feedback": {"enabled": False},
    "otel": {"exporter": "none", "metrics_exporter": "none", "trace_exporter": "none"},
    "history": {"persistence": "none"},
    "features": dict.fromkeys(_OFF, False),
    "agents": {"enabled": False},
    "skills.bundled": {"enabled": False},
}


def config(
    request: LaunchRequest, settings: AgentSettings, key_file: Path, *, project_doc: bool
) -> str:
    """Return the text of an execution's ``config.toml``.

    ``key_file`` holds the key, which codex reads once and which is gone then: so it is in nobody's
    environment, where any process of the worker's could find it.
    """
    top: dict[str, object] = {
        "model_provider": "cto",
        "check_for_update_on_startup": False,
        "approval_policy": "never",
        "web_search": "disabled",
    }
    if settings.model:
        top["model"] = settings.model
    if not project_doc:
        top["project_doc_max_bytes"] = 0
    tables = {**_FIXED, **dict(_own(request, settings, key_file))}
    lines = [f"{key} = {value(each)}" for key, each in top.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {value(each)}" for key, each in table.items())]
    return "\n".join(lines) + "\n"


def _own(
    request: LaunchRequest, settings: AgentSettings, key_file: Path
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the tables that differ from one execution to the next."""
    provider: dict[str, object] = {
        "name": "cto",
        "base_url": settings.base_url or OPENAI,
        "wire_api": "responses",
        "requires_openai_auth": False,
        "supports_websockets": False,
        "request_max_retries": RETRIES,
        "stream_max_retries": RETRIES,
        "stream_idle_timeout_ms": IDLE_MS,
    }
    yield "model_providers.cto", provider
    if settings.key_env:
        once = 'cat "$0" && rm -f "$0"'  # asked before the first request, so before any tool runs
        words = ["-c", once, str(key_file)]
        # codex asks again when its key is refused; that finds none, and is the same failure
        never = {"command": "/bin/sh", "args": words, "refresh_interval_ms": 0}
        yield "model_providers.cto.auth", never
    # Its environment is an allowlist of ours, and has no key in it: its tools get all of it.
    yield "shell_environment_policy", {"inherit": "all"}
    writable = {
        "network_access": False,
        "exclude_slash_tmp": True,
        "exclude_tmpdir_env_var": True,
        "writable_roots": [str(request.scratch / "mail"), str(request.scratch / "tmp")],
    }
    yield "sandbox_workspace_write", writable
    for tool in request.tools:
        yield f"mcp_servers.{value(tool.name)}", _server(tool)


def _server(tool: ToolServer) -> Mapping[str, object]:
    return tool.table(
        required=True,
        default_tools_approval_mode="approve",  # otherwise every call is refused, and it says 0
        startup_timeout_sec=30,
    )


def value(each: object) -> str:
    """Return a value as TOML; strings of JSON are strings of TOML but for one character."""
    if isinstance(each, dict):
        inner = (f"{value(key)} = {value(one)}" for key, one in each.items())
        return f"{{ {', '.join(inner)} }}"
    if isinstance(each, list):
        return f"[{', '.join(map(value, each))}]"
    return json.dumps(each, ensure_ascii=False).replace("\x7f", "\\u007f")
