"""Runs any program as a worker."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    Launch,
    Probe,
    Progress,
    WorkerReport,
    failed,
    leave_in_mailbox,
)
from gitcto_command.settings import read
from gitcto_command.template import fill, values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import (
        FaultKind,
        LaunchRequest,
        SendRequest,
        SendResult,
        WorkerOutcome,
        WorkerOutput,
    )

ALWAYS_PASSED = ("LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "TZ", "USER")
"""Variables every command gets from git-cto's own environment; policy names any others.

``HOME`` and ``TMPDIR`` are not among them: each attempt has its own, which the core sets.
"""

_TAIL = 64 << 10
_LINE = 300
_SIGNALLED = 128
_CANNOT_RUN = (126, 127)
_BY_CAUSE: Mapping[str, FaultKind] = {"wall": "timeout", "idle": "timeout", "output": "tool"}


class CommandProvider:
    """Fills an argv template and reads the exit code: 0 claims success, anything else failure."""

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether the command's program can be found; placeholders are taken on trust."""
        program = read(settings).argv[0]
        if "{" in program or shutil.which(program, path=host_env.get("PATH", "")):
            return Probe(available=True)
        hint = f"install {program!r}, or give its whole path in policy.toml"
        return Probe(available=False, hint=hint)

    def launch(self, request: LaunchRequest) -> Launch:
        """Return the filled argv and the environment: named variables and nothing else."""
        settings = read(request.settings)
        known = values(request)
        passed = (*ALWAYS_PASSED, *settings.pass_env)
        env = {name: request.host_env[name] for name in passed if name in request.host_env}
        env["CTO_ATTEMPT"] = str(request.attempt)
        env["CTO_EXECUTION"] = request.execution
        env["CTO_TASK"] = request.task.id
        env.update({name: fill(value, known) for name, value in settings.env.items()})
        return Launch(argv=tuple(fill(argument, known) for argument in settings.argv), env=env)

    def send(self, request: SendRequest) -> SendResult:
        """Leave the letter in the command's mailbox, which ``CTO_MAIL`` names."""
        return leave_in_mailbox(request)

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Tell nothing: what a program prints has no form."""
        del output
        return Progress(cursor=cursor)

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Take the exit code as the claim, and the last line of output as its words."""
        if outcome.cause in _BY_CAUSE:
            detail = f"ended by the limit on {outcome.cause}"
            return failed(_BY_CAUSE[outcome.cause], detail)
        if outcome.cause != "exited":
            return failed("killed", f"the worker was {outcome.cause}")
        if outcome.code == 0:
            text = _tail(outcome.stdout)
            return WorkerReport(summary=_line_of(text), message=text)
        detail = _last_line(outcome.stderr) or f"exit code {outcome.code}"
        if outcome.code in _CANNOT_RUN:
            return failed("tool", detail, retryable=False)
        killed = outcome.code < 0 or outcome.code > _SIGNALLED
        return failed("killed" if killed else "tool", detail)


def _tail(path: Path) -> str:
    """Return the end of what was printed; empty for no such file."""
    try:
        with Path(path).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _last_line(path: Path) -> str:
    """Return the last line with something on it, printable and bounded."""
    return _line_of(_tail(path))


def _line_of(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    return "".join(letter if letter.isprintable() else "?" for letter in last)[:_LINE]
