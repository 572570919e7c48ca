"""Runs Claude Code: a turn of ``claude --print`` with a home and a configuration of its own."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    AgentProvider,
    AgentSettings,
    Launch,
    agent_environment,
    agent_home,
    needed_program,
    own_commands,
    probe_program,
    prompt_text,
    read_agent_settings,
    write_private,
)
from gitcto_claude.dialect import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import InstalledProgram, LaunchRequest, Probe

INSTALL = "npm install --global @anthropic-ai/claude-code (its licence is Anthropic's)"
LICENCE = "LicenseRef-Anthropic"
"""What it tells of its licence: all rights reserved, and Anthropic's legal agreements."""

LEAST = "2.1.328"
"""The oldest version for which what its flags promise was verified."""

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_MAX_RETRIES": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_BUG_COMMAND": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
"""Variables without which it speaks with others than its model, or asks that for minutes."""

_DEFAULTS = AgentSettings(who="provider claude", program="claude", key_env="ANTHROPIC_API_KEY")


class ClaudeProvider(AgentProvider):
    """Starts ``claude --print`` and reads its events.

    It has no protocol to be asked in to stop; on SIGINT it writes its result within a fifth of a
    second.
    """

    dialect = DIALECT

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether claude is here, and new enough; no field of its own tells its licence."""
        wanted = read_agent_settings(settings, _DEFAULTS)
        probe = probe_program(wanted, host_env, install=INSTALL, least=LEAST)
        if probe.backend is None:
            return probe
        return replace(probe, backend=replace(probe.backend, licence=LICENCE))

    def launch(self, request: LaunchRequest) -> Launch:
        """Return its command and surroundings. Raises ``CtoError``."""
        settings = read_agent_settings(request.settings, _DEFAULTS)
        found = needed_program(settings, request.host_env, install=INSTALL)
        home = agent_home(request) / ".claude"
        write_private(home / "settings.json", _configured(home, settings.key(request.host_env)))
        own = {**QUIET, "CLAUDE_CONFIG_DIR": str(home)}
        own |= {"IS_SANDBOX": "1"} if request.confined else {}  # or root is not free
        own |= {"ANTHROPIC_BASE_URL": settings.base_url} if settings.base_url else {}
        return Launch(
            argv=_argv(request, settings, found, home),
            env=agent_environment(request, own),
            reads=found.reads,
        )


def _argv(
    request: LaunchRequest, settings: AgentSettings, found: InstalledProgram, home: Path
) -> tuple[str, ...]:
    servers = home / "servers.json"
    if request.tools:
        listed = {server.name: server.table(type="stdio") for server in request.tools}
        write_private(servers, json.dumps({"mcpServers": listed}))
    schema = request.answer_schema
    values = {
        "program": str(found.path),
        "prompt": prompt_text(request),
        "session": request.session,
        "model": settings.model,
        "schema": schema.read_text(encoding="utf-8") if schema else "",
        "servers": str(servers) if request.tools else "",
        "allowed": ",".join(f"mcp__{server.name}" for server in request.tools),
    }
    return own_commands("gitcto_claude", who=_DEFAULTS.who)["run"].fill(values, {_rights(request)})


def _rights(request: LaunchRequest) -> str:
    """Return the word for what it may do; what it may not, it is told no, and the run fails."""
    if not request.edits:
        return "reads"
    return "free" if request.confined else "careful"


def _configured(home: Path, key: str) -> str:
    """Return its settings. A key in a file is not in the environment of the commands it runs."""
    if not key:
        return "{}"
    write_private(home / "key", key)
    return json.dumps({"apiKeyHelper": f"cat {shlex.quote(str(home / 'key'))}"})
