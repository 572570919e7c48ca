"""Runs the coding agent opencode as a worker."""

from __future__ import annotations

import dataclasses
import json
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
)
from gitcto_opencode.dialect import DIALECT
from gitcto_opencode.home import SILENT, configuration, key_file, write_configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import LaunchRequest, Probe

DEFAULTS = AgentSettings(who="provider opencode", program="opencode")
LEAST = "1.18.33"
INSTALL = "npm install -g opencode-ai"

_ELF_OR_MACH_O = (b"\x7fELF", b"\xcf\xfa\xed\xfe")


class OpencodeProvider(AgentProvider):
    """Starts ``opencode run``, once for each turn; only signals can stop it."""

    dialect = DIALECT

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether opencode is here; what is executed is its one native file."""
        asked = read_agent_settings(settings, DEFAULTS)
        probe = probe_program(asked, host_env, install=INSTALL, least=LEAST)
        found = find_program(asked.program, host_env)
        if found is None or probe.backend is None:
            return probe
        with found.real.open("rb") as program:
            native = program.read(4) in _ELF_OR_MACH_O
        backend = dataclasses.replace(probe.backend, files=(found.real,))
        return dataclasses.replace(probe, backend=backend) if native else probe

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how opencode is started; writes its configuration into its home."""
        settings = read_agent_settings(request.settings, DEFAULTS)
        key = settings.key(request.host_env)
        if not settings.model:
            hint = 'write model = "vendor/name", or model = "name" beside base_url, in policy.toml'
            raise settings.problem("it needs a model", hint)
        program = needed_program(settings, request.host_env, install=INSTALL)
        home = agent_home(request)
        write_configuration(home, key)
        told = configuration(settings, home, request.tools, edits=request.edits)
        own = {
            **SILENT,
            "OPENCODE_CONFIG_CONTENT": json.dumps(told),
            "CTO_KEY_FILE": str(key_file(home)),
        }
        values = {
            "program": str(program.path),
            "title": request.execution,
            "session": request.session,
            "prompt": prompt_text(request),
        }
        return Launch(
            argv=own_commands("gitcto_opencode", who=DEFAULTS.who)["run"].fill(values),
            env=agent_environment(request, own),
            reads=program.reads,
        )
