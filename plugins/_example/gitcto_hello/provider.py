"""A worker that writes a greeting; the smallest provider that does something."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gitcto.api import (
    CtoError,
    ExitCode,
    InterruptResult,
    Launch,
    Probe,
    Progress,
    SendResult,
    WorkerReport,
    failed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import LaunchRequest, SendRequest, WorkerOutcome, WorkerOutput

_PROGRAM = "import sys; open(sys.argv[1], 'w').write(sys.argv[2] + '\\n'); print('greeted')"


class HelloProvider:
    """Writes ``greeting`` (a setting) into ``hello.txt``."""

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

    def send(self, request: SendRequest) -> SendResult:
        """Take nothing: a greeting is written before a letter could come."""
        del request
        return SendResult(status="not_supported", reason="a greeting takes no time")

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Tell nothing: a greeting takes no time."""
        del output
        return Progress(cursor=cursor)

    def interrupt(self, output: WorkerOutput) -> InterruptResult:
        """Leave it to signals: a greeting takes no time."""
        del output
        return InterruptResult(status="not_supported", reason="a greeting takes no time")

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Read the end of the worker."""
        if outcome.cause == "exited" and outcome.code == 0:
            return WorkerReport(summary="greeted")
        if outcome.cause in ("wall", "idle"):
            return failed("timeout", f"the limit on {outcome.cause}")
        return failed("tool", f"code {outcome.code}")
