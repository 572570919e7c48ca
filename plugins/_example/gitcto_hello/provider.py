"""An agent that writes a greeting, and says so in JSON lines; the smallest provider of one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from gitcto.api import AgentEvent, AgentProvider, CtoError, Dialect, ExitCode, Launch, Probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.api import LaunchRequest

_PROGRAM = """
import json, sys
open(sys.argv[1], "w").write(sys.argv[2] + "\\n")
print(json.dumps({"wrote": sys.argv[1], "said": sys.argv[2]}))
"""


def meanings(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what one JSON line of the agent means."""
    yield AgentEvent(kind="edited", text=record["wrote"])
    yield AgentEvent(kind="ended", text=record["said"])


class HelloProvider(AgentProvider):
    """Writes ``greeting`` (a setting) into ``hello.txt``."""

    dialect = Dialect(name="hello", events=meanings)

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Answer yes: Python is here."""
        del settings, host_env
        return Probe(available=True, version=sys.version.split()[0])

    def launch(self, request: LaunchRequest) -> Launch:
        """Return the command; the worker gets no environment at all."""
        unknown = sorted(set(request.settings) - {"greeting"})
        if unknown:
            message = f"provider hello: unknown key {unknown[0]!r}"
            raise CtoError(message, "it takes greeting", ExitCode.POLICY)
        greeting = str(request.settings.get("greeting", f"Hello, {request.task.title}!"))
        return Launch(argv=(sys.executable, "-I", "-c", _PROGRAM, "hello.txt", greeting))
