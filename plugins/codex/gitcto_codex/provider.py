"""Runs codex: a turn of ``codex exec`` with a home and a configuration of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gitcto.api import (
    AgentProvider,
    AgentSettings,
    Launch,
    agent_environment,
    agent_home,
    find_program,
    needed_program,
    own_commands,
    probe_program,
    prompt_text,
    read_agent_settings,
    write_private,
)
from gitcto_codex.config import config
from gitcto_codex.dialect import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import InstalledProgram, LaunchRequest, Probe

INSTALL = "npm install --global @openai/codex"
LEAST = "0.169.0"
"""The oldest version for which what the configuration promises was verified."""

_DEFAULTS = AgentSettings(who="provider codex", program="codex", key_env="OPENAI_API_KEY")
_NATIVE = "codex-*/vendor/*/bin/codex"


class CodexProvider(AgentProvider):
    """Starts ``codex exec --json`` and reads its events.

    It has no protocol to be asked in to stop; by a signal it ends within a tenth of a second, and
    its session can go on.
    """

    dialect = DIALECT

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether codex is here, and new enough."""
        wanted = _located(_read(settings)[0], host_env)
        return probe_program(wanted, host_env, install=INSTALL, least=LEAST)

    def launch(self, request: LaunchRequest) -> Launch:
        """Write its configuration and return its command. Raises ``CtoError``."""
        settings, project_doc = _read(request.settings)
        settings = _located(settings, request.host_env)
        found = needed_program(settings, request.host_env, install=INSTALL)
        key = settings.key(request.host_env)
        home = agent_home(request) / ".codex"  # never below TMPDIR, see its README
        text = config(request, settings, home / "key", project_doc=project_doc)
        write_private(home / "config.toml", text)
        if key:
            write_private(home / "key", key)
        return Launch(
            argv=_argv(request, found),
            env=agent_environment(request, {"CODEX_HOME": str(home)}),
            reads=found.reads,
        )


def _read(table: Mapping[str, object]) -> tuple[AgentSettings, bool]:
    settings = read_agent_settings(table, _DEFAULTS, also=("project_doc",))
    project_doc = table.get("project_doc", False)
    if not isinstance(project_doc, bool):
        hint = "with true, AGENTS.md of the repository is part of its prompt"
        raise settings.problem("project_doc must be true or false", hint)
    return settings, project_doc


def _located(settings: AgentSettings, host_env: Mapping[str, str]) -> AgentSettings:
    """Return the settings with the program itself instead of npm's wrapper, which needs Node."""
    found = find_program(settings.program, host_env)
    if found is None or found.real.suffix != ".js":
        return settings
    native = sorted(found.real.parents[2].glob(_NATIVE))
    native += sorted(found.real.parents[1].glob(f"node_modules/@openai/{_NATIVE}"))
    return replace(settings, program=str(native[0])) if native else settings


def _argv(request: LaunchRequest, found: InstalledProgram) -> tuple[str, ...]:
    values = {
        "program": str(found.path),
        "workspace": str(request.workspace),
        "sandbox": _sandbox(request),
        "prompt": prompt_text(request),
        "session": request.session,
        "schema": str(request.answer_schema or ""),
    }
    return own_commands("gitcto_codex", who=_DEFAULTS.who)["run"].fill(values)


def _sandbox(request: LaunchRequest) -> str:
    """Return codex's own sandbox: it cannot work inside ours, and need not."""
    if request.confined:
        return "danger-full-access"
    return "workspace-write" if request.edits else "read-only"
