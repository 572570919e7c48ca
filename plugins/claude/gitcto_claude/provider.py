"""Runs Claude Code: a turn of ``claude --print`` with a home and a configuration of its own."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    AgentSettings,
    CommandTemplate,
    InterruptResult,
    Launch,
    agent_environment,
    agent_home,
    collect_report,
    find_program,
    leave_in_mailbox,
    poll_output,
    probe_program,
    prompt_text,
    read_agent_settings,
    read_commands,
    write_private,
)
from gitcto_claude.dialect import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import (
        InstalledProgram,
        LaunchRequest,
        Probe,
        Progress,
        SendRequest,
        SendResult,
        WorkerOutcome,
        WorkerOutput,
        WorkerReport,
    )

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

_CONFINED = frozenset({"landlock", "seatbelt", "strict"})
_DEFAULTS = AgentSettings(who="provider claude", program="claude", key_env="ANTHROPIC_API_KEY")


class ClaudeProvider:
    """Starts ``claude --print`` and reads its events."""

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
        found = find_program(settings.program, request.host_env)
        if found is None:
            raise settings.problem(f"{settings.program!r} is not here", INSTALL)
        home = agent_home(request) / ".claude"
        write_private(home / "settings.json", _configured(home, settings.key(request.host_env)))
        own = {**QUIET, "CLAUDE_CONFIG_DIR": str(home)}
        own |= {"IS_SANDBOX": "1"} if request.level in _CONFINED else {}  # or root is not free
        own |= {"ANTHROPIC_BASE_URL": settings.base_url} if settings.base_url else {}
        return Launch(
            argv=_argv(request, settings, found, home),
            env=agent_environment(request, own),
            reads=found.reads,
        )

    def send(self, request: SendRequest) -> SendResult:
        """Leave the letter in its mailbox: it looks there, or has it in its next prompt."""
        return leave_in_mailbox(request)

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Read on in its events."""
        return poll_output(DIALECT, output, cursor)

    def interrupt(self, output: WorkerOutput) -> InterruptResult:
        """Leave it to signals: on SIGINT it writes its result within a fifth of a second."""
        del output
        reason = "claude --print has no protocol to ask it in"
        return InterruptResult(status="not_supported", reason=reason)

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Read what the turn was."""
        return collect_report(DIALECT, outcome)


@cache
def _commands() -> Mapping[str, CommandTemplate]:
    text = Path(__file__).with_name("commands.toml").read_text(encoding="utf-8")
    return read_commands(text, who="provider claude")


def _argv(
    request: LaunchRequest, settings: AgentSettings, found: InstalledProgram, home: Path
) -> tuple[str, ...]:
    servers = home / "servers.json"
    if request.tools:
        write_private(servers, _servers(request))
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
    words = {word for word in ("session", "model", "schema", "servers") if values[word]}
    return _commands()["run"].fill(values, words | {_rights(request)})


def _rights(request: LaunchRequest) -> str:
    """Return the word for what it may do; what it may not, it is told no, and the run fails."""
    if not request.edits:
        return "reads"
    return "free" if request.level in _CONFINED else "careful"


def _configured(home: Path, key: str) -> str:
    """Return its settings. A key in a file is not in the environment of the commands it runs."""
    if not key:
        return "{}"
    write_private(home / "key", key)
    return json.dumps({"apiKeyHelper": f"cat {shlex.quote(str(home / 'key'))}"})


def _servers(request: LaunchRequest) -> str:
    listed = {
        server.name: {
            "type": "stdio",
            "command": server.argv[0],
            "args": list(server.argv[1:]),
            "env": dict(server.env),
        }
        for server in request.tools
    }
    return json.dumps({"mcpServers": listed})
