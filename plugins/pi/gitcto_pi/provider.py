"""Runs the coding agent pi as a worker."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    INTERRUPT_MARK,
    AgentProvider,
    AgentSettings,
    Launch,
    agent_environment,
    agent_home,
    find_program,
    letters_in,
    needed_program,
    own_commands,
    probe_program,
    read_agent_settings,
)
from gitcto_pi.dialect import DIALECT
from gitcto_pi.home import CUSTOM, MODELS, write_configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import LaunchRequest, Probe

DEFAULTS = AgentSettings(who="provider pi", program="pi")
LEAST = "1.6.0"
LEAST_NODE = "22.19"
INSTALL = "npm install -g --ignore-scripts @earendil-works/pi-coding-agent"
INSTALL_NODE = f"pi needs Node.js {LEAST_NODE} or newer first on PATH"

_OURS = {
    "NODE_DISABLE_COMPILE_CACHE": "1",
    "PI_OFFLINE": "1",
    "PI_SKIP_VERSION_CHECK": "1",
    "PI_TELEMETRY": "0",
}


class PiProvider(AgentProvider):
    """Starts the driver of pi, which talks with pi and hands on what it says.

    The driver tells pi of letters between two of its steps, and makes it abort.
    """

    dialect = DIALECT

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether pi and a Node.js that it runs on are here."""
        asked = read_agent_settings(settings, DEFAULTS)
        node = dataclasses.replace(asked, program="node")
        found = probe_program(node, host_env, install=INSTALL_NODE, least=LEAST_NODE)
        if not found.available:
            return found
        return probe_program(asked, host_env, install=INSTALL, least=LEAST)

    def launch(self, request: LaunchRequest) -> Launch:
        """Return how the driver is started; writes pi's configuration into its home."""
        settings = read_agent_settings(request.settings, DEFAULTS)
        key = settings.key(request.host_env)
        if not settings.model:
            hint = 'write model = "vendor/name", or model = "name" beside base_url, in policy.toml'
            raise settings.problem("it needs a model", hint)
        program = needed_program(settings, request.host_env, install=INSTALL)
        folder = agent_home(request) / "pi"
        write_configuration(folder, settings, key, request.tools)
        node = find_program("node", request.host_env)
        return Launch(
            argv=_argv(request, settings, program.path, folder),
            env=agent_environment(request, _OURS | {"PI_CODING_AGENT_DIR": str(folder)}),
            reads=(*program.reads, *(node.reads if node else ()), Path(__file__).parent.parent),
            interrupt=INTERRUPT_MARK,
        )


def _argv(
    request: LaunchRequest, settings: AgentSettings, program: Path, folder: Path
) -> tuple[str, ...]:
    values = {
        "python": sys.executable,
        "prompt": str(request.prompt_file),
        "models": str(folder / MODELS),
        "program": str(program),
        "sessions": str(folder / "sessions"),
        "model": f"{CUSTOM}/{settings.model}" if settings.base_url else settings.model,
        "told": ",".join(map(str, letters_in(request.scratch))),
        "session": request.session,
    }
    held = {"edits": request.edits, "tools": bool(request.tools)}
    template = own_commands("gitcto_pi", who=DEFAULTS.who)["run"]
    return template.fill(values, {word for word, holds in held.items() if holds})
