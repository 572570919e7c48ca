"""Runs the scripted fake agent: it does what its script says, not what it is asked."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    CtoError,
    ExitCode,
    Fault,
    Launch,
    Probe,
    WorkerReport,
    leave_in_mailbox,
)
from gitcto_fake.stream import BEGUN, ENDED, Stream, read_on, read_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import (
        LaunchRequest,
        Progress,
        SendRequest,
        SendResult,
        WorkerOutcome,
        WorkerOutput,
    )

_TAIL = 4096
_LINE = 300


class FakeProvider:
    """Starts the fake agent with the script of the task (``inputs.script``) or of policy."""

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Answer yes: the fake agent is part of git-cto."""
        del settings, host_env
        return Probe(available=True)

    def launch(self, request: LaunchRequest) -> Launch:
        """Write the script to the scratch directory; raises ``CtoError`` when there is none."""
        script = _script(request)
        path = request.scratch / "fake-agent.json"
        path.write_text(json.dumps(script), encoding="utf-8")
        env = {
            "CTO_ATTEMPT": str(request.attempt),
            "CTO_EXECUTION": request.execution,
            "CTO_TASK": request.task.id,
            "HOME": str(request.scratch),
            "PATH": request.host_env.get("PATH", "/usr/bin:/bin"),
        }
        return Launch(argv=(sys.executable, "-I", str(_program()), str(path)), env=env)

    def send(self, request: SendRequest) -> SendResult:
        """Leave the letter in the agent's mailbox; its script says whether it looks there."""
        return leave_in_mailbox(request)

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Read on in its stream: what it said, used and met; the rest is for people."""
        return read_on(output.stdout, cursor)

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Believe the exit code: what a fake says is a claim like any other.

        An agent that began a stream of events must have ended it, whatever its exit code.
        """
        said = read_whole(outcome.stdout)
        fault = _fault(outcome, said)
        words = said.message or _last_line(outcome.stdout)
        return WorkerReport(
            summary=_line(words) if fault is None else "",
            message=said.message,
            fault=fault,
            session=said.session,
            usage=said.usage,
        )


def _fault(outcome: WorkerOutcome, said: Stream) -> Fault | None:
    """Return why a run is no success: what the agent said itself, or how it ended."""
    if outcome.cause in ("wall", "idle"):
        return Fault(kind="timeout", detail=f"limit on {outcome.cause}")
    if outcome.cause != "exited" or outcome.code < 0:
        return Fault(kind="killed", detail=f"{outcome.cause}, code {outcome.code}")
    if said.fault is not None:
        return said.fault
    if outcome.code != 0:
        detail = _last_line(outcome.stderr) or f"exit code {outcome.code}"
        return Fault(kind="tool", detail=detail)
    if _first_line(outcome.stdout) == BEGUN and _last_line(outcome.stdout) != ENDED:
        return Fault(kind="protocol", detail="its stream of events has no end")
    return None


def _program() -> Path:
    spec = find_spec("gitcto.testing.fake_agent")
    if spec is None or spec.origin is None:
        hint = "reinstall git-cto"
        raise CtoError("provider fake: the fake agent is not installed", hint, ExitCode.INTERNAL)
    return Path(spec.origin)


def _script(request: LaunchRequest) -> object:
    unknown = sorted(set(request.settings) - {"script"})
    if unknown:
        raise _bad(f"unknown key {unknown[0]!r}", "it takes script")
    script = request.task.inputs.get("script", request.settings.get("script"))
    if script is None:
        raise _bad("no script", "set inputs.script in the plan, or script in policy.toml")
    if not isinstance(script, str):
        return script
    try:
        if not script.lstrip().startswith("["):
            script = (request.workspace / script).read_text(encoding="utf-8")
        return json.loads(script)
    except (OSError, ValueError) as error:
        raise _bad(
            f"cannot read the script: {error}", "give JSON, or a file that holds it"
        ) from error


def _first_line(path: Path) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.readline(_LINE).decode("utf-8", "replace").rstrip("\n")
    except OSError:
        return ""


def _last_line(path: Path) -> str:
    try:
        with Path(path).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line for line in lines if line.strip()]
    return _line(said[-1]) if said else ""


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))[:_LINE]


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"provider fake: {message}", hint, ExitCode.POLICY)
