"""Runs the coding agent pi as a worker."""

from __future__ import annotations

import dataclasses
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    AgentSettings,
    Launch,
    agent_environment,
    agent_home,
    collect_report,
    find_program,
    leave_in_mailbox,
    leave_interrupt,
    letters_in,
    poll_output,
    probe_program,
    read_agent_settings,
    read_commands,
)
from gitcto_pi.dialect import DIALECT
from gitcto_pi.home import CUSTOM, MODELS, write_configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import (
        InterruptResult,
        LaunchRequest,
        Probe,
        Progress,
        SendRequest,
        SendResult,
        WorkerOutcome,
        WorkerOutput,
        WorkerReport,
    )

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


class PiProvider:
    """Starts the driver of pi, which talks with pi and hands on what it says."""

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
        program = find_program(settings.program, request.host_env)
        if program is None:
            raise settings.problem(f"{settings.program!r} is not here", INSTALL)
        folder = agent_home(request) / "pi"
        write_configuration(folder, settings, key, request.tools)
        node = find_program("node", request.host_env)
        return Launch(
            argv=_argv(request, settings, program.path, folder),
            env=agent_environment(request, _OURS | {"PI_CODING_AGENT_DIR": str(folder)}),
            reads=(*program.reads, *(node.reads if node else ()), Path(__file__).parent.parent),
        )

    def send(self, request: SendRequest) -> SendResult:
        """Leave the letter for the driver, which tells it to pi between two of its steps."""
        return leave_in_mailbox(request)

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Read on in what pi printed."""
        return poll_output(DIALECT, output, cursor)

    def interrupt(self, output: WorkerOutput) -> InterruptResult:
        """Leave the mark at which the driver makes pi abort."""
        return leave_interrupt(output)

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Read what came of the run."""
        return collect_report(DIALECT, outcome)


def _argv(
    request: LaunchRequest, settings: AgentSettings, program: Path, folder: Path
) -> tuple[str, ...]:
    text = files("gitcto_pi").joinpath("commands.toml").read_text(encoding="utf-8")
    told = letters_in(request.scratch)
    values = {
        "python": sys.executable,
        "prompt": str(request.prompt_file),
        "models": str(folder / MODELS),
        "program": str(program),
        "sessions": str(folder / "sessions"),
        "model": f"{CUSTOM}/{settings.model}" if settings.base_url else settings.model,
        "told": ",".join(map(str, told)),
        "session": request.session,
    }
    holds = {"told": told, "session": request.session, "tools": request.tools}
    words = {word for word, there in holds.items() if there}
    if request.edits:
        words.add("edits")
    return read_commands(text, who=settings.who)["run"].fill(values, words)
