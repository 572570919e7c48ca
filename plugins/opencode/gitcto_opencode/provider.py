"""Runs the coding agent opencode as a worker."""

from __future__ import annotations

import dataclasses
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from gitcto.api import (
    AgentSettings,
    InterruptResult,
    Launch,
    SendResult,
    agent_environment,
    agent_home,
    collect_report,
    find_program,
    poll_output,
    probe_program,
    prompt_text,
    read_agent_settings,
    read_commands,
)
from gitcto_opencode.dialect import DIALECT
from gitcto_opencode.home import SILENT, configuration, key_file, write_configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import (
        LaunchRequest,
        Probe,
        Progress,
        SendRequest,
        WorkerOutcome,
        WorkerOutput,
        WorkerReport,
    )

DEFAULTS = AgentSettings(who="provider opencode", program="opencode")
LEAST = "1.18.33"
INSTALL = "npm install -g opencode-ai"

_ELF_OR_MACH_O = (b"\x7fELF", b"\xcf\xfa\xed\xfe")


class OpencodeProvider:
    """Starts ``opencode run``, once for each turn."""

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
        program = find_program(settings.program, request.host_env)
        if program is None:
            raise settings.problem(f"{settings.program!r} is not here", INSTALL)
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
        text = files("gitcto_opencode").joinpath("commands.toml").read_text(encoding="utf-8")
        template = read_commands(text, who=settings.who)["run"]
        return Launch(
            argv=template.fill(values, {"session"} if request.session else ()),
            env=agent_environment(request, own),
            reads=program.reads,
        )

    def send(self, request: SendRequest) -> SendResult:
        """Leave it for the next turn: opencode listens to nobody while it works."""
        del request
        reason = "opencode takes nothing while it works; it is told in the next turn"
        return SendResult(status="not_supported", reason=reason)

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Read on in what opencode printed."""
        return poll_output(DIALECT, output, cursor)

    def interrupt(self, output: WorkerOutput) -> InterruptResult:
        """Leave it to signals: ``opencode run`` has no protocol."""
        del output
        return InterruptResult(status="not_supported", reason="opencode run has no protocol")

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Read what came of the run."""
        return collect_report(DIALECT, outcome)
