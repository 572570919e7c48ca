"""The contract of a provider: how one kind of agent is started, listened to and brought to its end.

The core starts the processes, under a supervisor and in a sandbox, and keeps what they print in
files; a provider says how, and what it means. Like those in :mod:`gitcto.contracts`, every call is
contained by the core.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from gitcto.model.agent_records import Fault, FaultKind, Usage
from gitcto.model.isolation import confines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gitcto.contracts import Probe
    from gitcto.mail_contracts import SendRequest, SendResult
    from gitcto.model.isolation import Level
    from gitcto.model.records import TaskSpec

NOTHING = Usage()


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServer:
    """An MCP server over stdio to offer to the agent under ``name``."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def table(self, **more: object) -> dict[str, object]:
        """Return it as most CLIs have it in JSON, with ``more`` besides or instead."""
        command, *args = self.argv
        return {"command": command, "args": args, "env": dict(self.env), **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """What a provider needs to start one run of an agent.

    ``settings`` is the provider's table in policy; ``prompt_file`` holds the prompt;
    ``scratch`` is a private directory outside the workspace, the agent's home among other things;
    ``notes`` are reasons why earlier attempts failed, oldest first; ``host_env`` is the environment
    git-cto was started in, of which a provider hands on what its settings name and nothing else
    (plugins read no ``os.environ``).

    With ``session`` the agent goes on in that session of its own, in the same scratch directory;
    without ``edits`` it is to read and to answer only. ``answer_schema`` is a file with the JSON
    schema that its final message must fit, where its kind can be held to one; ``tools`` are offered
    to it besides its own. ``level`` is what the sandbox promises that it is started in.
    """

    task: TaskSpec
    execution: str
    attempt: int
    workspace: Path
    scratch: Path
    prompt_file: Path
    settings: Mapping[str, object]
    notes: tuple[str, ...] = ()
    host_env: Mapping[str, str] = field(default_factory=dict)
    session: str = ""
    edits: bool = True
    answer_schema: Path | None = None
    tools: tuple[ToolServer, ...] = ()
    level: Level = "none"

    @property
    def confined(self) -> bool:
        """Whether its sandbox keeps it in its room: then its own is not needed and may not work."""
        return confines(self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNote:
    """A file that asks a running agent, in its own protocol, to end what it does.

    ``path`` lies below its scratch directory, in a folder that is there; ``text`` is what is
    written there, in one step. The agent watches for it, or the driver that is its worker.
    """

    path: str
    text: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be left there; raises ``TypeError`` and ``ValueError``."""
        if not _all_text((self.path, self.text)):
            raise TypeError("StopNote.path and text must be str")
        f"{self.path}{self.text}".encode()
        if "\0" in self.path or {"", ".", ".."} & set(self.path.split("/")):
            raise ValueError("StopNote.path must be relative, without '.' and '..'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the worker: an argv list (never a shell string) and its whole environment.

    ``reads`` are absolute paths that the worker needs besides its room, the system's programs and
    git-cto with its Python: a sandbox that hides their surroundings shows them read-only.
    ``interrupt`` is left for the worker when it is to end, before any signal; without one only
    signals reach it. Whoever watches over the worker leaves it, so that a limit, a person and a run
    that was killed meanwhile all reach the agent in the same way.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()
    interrupt: StopNote | None = None

    def __post_init__(self) -> None:
        """Refuse what no process can be started from; raises ``TypeError``."""
        if not isinstance(self.argv, tuple) or not self.argv or not _all_text(self.argv):
            raise TypeError("Launch.argv must be a non-empty tuple of str")
        if not _all_text(self.env) or not _all_text(self.env.values()):
            raise TypeError("Launch.env must map str to str")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOutput:
    """Where a run's output is kept; ``scratch`` is its private directory, which it can write.

    ``session`` is the session that it was to go on in, ``before`` what that had used already.
    """

    stdout: Path
    stderr: Path
    scratch: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    session: str = ""
    before: Usage = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOutcome(WorkerOutput):
    """How the worker's process ended; ``cause`` as in ``execution.exited``.

    ``cut_bytes`` is what was cut out of its output, because it was too much to keep.
    """

    code: int
    cause: str
    cut_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEvent:
    """One thing that an agent did, in the words of no vendor.

    ``session`` (``text`` is its id), ``message`` (words to a person), ``thinking``,
    ``tool_started`` and ``tool_ended`` (``name`` the tool, ``ok`` whether it worked), ``refused``
    (``name`` the tool that its permissions did not let it use), ``edited`` (``text`` is the path),
    ``used`` (``usage`` up to here), ``warning``, ``error`` (``name`` what the provider calls it)
    and ``ended`` (``ok`` whether the agent calls it a success; ``text`` is then its final message
    if that is repeated, else the error, and ``name`` what the provider calls that).
    """

    kind: Literal[
        "session",
        "message",
        "thinking",
        "tool_started",
        "tool_ended",
        "refused",
        "edited",
        "used",
        "warning",
        "error",
        "ended",
    ]
    text: str = ""
    name: str = ""
    ok: bool = True
    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is new in a run's output: its ``events``, and where to go on (``cursor``).

    ``usage`` is what the run has used up to there; ``ended`` whether its terminal event was seen.
    """

    cursor: str
    events: tuple[AgentEvent, ...] = ()
    session: str = ""
    usage: Usage = NOTHING
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What the worker says of itself: a claim, never evidence.

    ``summary`` is its final message as one line, ``message`` the whole of it. It is no success when
    there is a ``fault``. ``session`` is what to resume; ``usage`` what this run used. ``notes`` say
    what a person should know of it (that output was cut, that a tool was refused).
    """

    summary: str = ""
    message: str = ""
    fault: Fault | None = None
    session: str = ""
    usage: Usage = NOTHING
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the worker claims success."""
        return self.fault is None


def failed(kind: FaultKind, detail: str, *, retryable: bool = True) -> WorkerReport:
    """Return the report of a run that failed."""
    return WorkerReport(fault=Fault(kind=kind, detail=detail, retryable=retryable))


class ProviderWorker(Protocol):
    """Starts one kind of worker. Constructed without arguments."""

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether this provider can start here, without network.

        :param host_env: the environment git-cto was started in, for ``PATH`` and the like.
        """

    def launch(self, request: LaunchRequest) -> Launch:
        """Return argv and environment. Raises ``CtoError`` when the settings cannot be used."""

    def send(self, request: SendRequest) -> SendResult:
        """Hand a letter to a running agent, once more if asked once more; never wait for it."""

    def poll(self, output: WorkerOutput, cursor: str) -> Progress:
        """Read what is new since ``cursor`` (empty: from the beginning); a bounded amount."""

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Read what the worker said at its end."""
