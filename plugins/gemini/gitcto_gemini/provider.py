"""Runs gemini: one headless run with a home, and a project, of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gitcto.api import (
    AgentProvider,
    AgentSettings,
    Launch,
    NodeCli,
    agent_environment,
    agent_home,
    collect_report,
    fault,
    own_commands,
    read_agent_settings,
    write_private,
)
from gitcto_gemini.config import KEY, URL, config
from gitcto_gemini.dialect import DIALECT, dialect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import FaultKind, LaunchRequest, Probe, WorkerOutcome, WorkerReport

CLI = NodeCli(
    version="0.61.0",
    node="20.0",
    install="npm install --global @google/gemini-cli",
    folder=".gemini",
)
"""The oldest versions for which what its configuration promises was verified."""

GOOGLE = "https://generativelanguage.googleapis.com"
"""Where a model is asked when policy names no ``base_url``."""

_DEFAULTS = AgentSettings(
    who="provider gemini", program="gemini", model="gemini-2.5-pro", key_env=KEY
)

NO_KEY = "none"
"""What it has for a key at a server that wants none: it does not begin without one."""

_OURS: Mapping[str, str] = {
    "GEMINI_CLI_NO_RELAUNCH": "true",  # the child that it would start does not hear of a SIGTERM
    "GEMINI_CLI_TRUST_WORKSPACE": "true",  # of the empty directory, see bare_directory
    "NO_BROWSER": "true",
    "NO_COLOR": "1",
}

_EXITS: Mapping[int, tuple[FaultKind, bool]] = {
    41: ("auth", False),
    42: ("protocol", False),  # a session that is not there, or input that it does not take
    52: ("tool", False),  # its settings
    53: ("timeout", True),  # its limit of turns
    55: ("tool", False),  # a directory that it does not trust
}
"""Exit codes of its own, for ends before its first event."""


class GeminiProvider(AgentProvider):
    """Starts ``gemini --prompt`` and reads its events.

    It has no protocol to be asked in to stop; by a signal it ends at once, and its session can go
    on.
    """

    dialect = DIALECT

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether gemini and a Node that it runs on are here, and new enough."""
        return CLI.probe(_read(settings), settings, host_env)

    def launch(self, request: LaunchRequest) -> Launch:
        """Write its settings and return its command. Raises ``CtoError``."""
        settings = _read(request.settings)
        key = settings.key(request.host_env)
        home = agent_home(request) / ".gemini"
        write_private(home / "settings.json", json.dumps(config(request), indent=1))
        start = CLI.enter(request, settings, {KEY: key or NO_KEY})
        own = {**_OURS, **start.env, URL: settings.base_url or GOOGLE}
        return Launch(
            argv=_argv(request, settings.model, start.values),
            env=agent_environment(request, own),
            reads=start.reads,
        )

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Read what the run was. That it ended with 0 says nothing: so does an interrupted one."""
        report = collect_report(dialect(outcome.code), outcome)
        known = _EXITS.get(outcome.code) if outcome.cause == "exited" else None
        if known is None or report.fault is None:
            return report
        kind, retryable = known
        detail, code = report.fault.detail, f"exit {outcome.code}"
        return replace(report, fault=fault(kind, detail, retryable=retryable, code=code))


def _read(table: Mapping[str, object]) -> AgentSettings:
    return read_agent_settings(table, _DEFAULTS, also=("node",))


def _argv(request: LaunchRequest, model: str, node: Mapping[str, str]) -> tuple[str, ...]:
    values = {
        **node,
        "model": model,
        "workspace": str(request.workspace),
        "session": request.session,
    }
    template = own_commands("gitcto_gemini", who=_DEFAULTS.who)["run"]
    return template.fill(values, {"edits"} if request.edits else ())
