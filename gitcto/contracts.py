"""The contracts a plugin's ``target`` fulfils, and the values that cross them.

Every call is contained by the core (deadline, exception, plugin named); what a failure means is
the core's decision. A gate that breaks says no.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gitcto.git.change import Change
    from gitcto.git.process import Git
    from gitcto.mail_contracts import SendRequest, SendResult
    from gitcto.model.records import TaskSpec

VERDICTS = ("pass", "fail", "not_run")
"""What a gate may say; anything else is a broken gate, and a broken gate says no."""


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Whether a plugin can work on this machine; ``hint`` says what to do when it cannot."""

    available: bool
    version: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """What a provider needs to start one attempt.

    ``settings`` is the provider's table in policy; ``prompt_file`` holds the prompt;
    ``scratch`` is a private directory outside the workspace; ``notes`` are reasons why earlier
    attempts failed, oldest first; ``host_env`` is the environment git-cto was started in, of which
    a provider hands on what its settings name and nothing else (plugins read no ``os.environ``).
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How to start the worker: an argv list (never a shell string) and its whole environment.

    ``reads`` are absolute paths that the worker needs besides its room, the system's programs and
    git-cto with its Python: a sandbox that hides their surroundings shows them read-only.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    reads: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no process can be started from; raises ``TypeError``."""
        if not isinstance(self.argv, tuple) or not self.argv or not _all_text(self.argv):
            raise TypeError("Launch.argv must be a non-empty tuple of str")
        if not _all_text(self.env) or not _all_text(self.env.values()):
            raise TypeError("Launch.env must map str to str")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOutcome:
    """How the worker's process ended; ``cause`` as in ``execution.exited``."""

    code: int
    cause: str
    stdout: Path
    stderr: Path
    scratch: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """What the worker says of itself: a claim, never evidence.

    ``ok`` False carries an ``error`` class (``auth``, ``quota``, ``rate``, ``model``, ``tool``,
    ``timeout``, ``killed``, ``protocol``, ``empty``, ``refused``, ``internal``).
    """

    ok: bool
    summary: str = ""
    error: str = ""
    detail: str = ""
    retryable: bool = True


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

    def collect(self, outcome: WorkerOutcome) -> WorkerReport:
        """Read what the worker said at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """A finished command; ``output`` is bounded.

    ``code`` is its exit status as a shell has it (128 + n after signal n), or None when it did not
    end by itself. ``cause`` then says why: ``wall`` (its deadline), ``memory``, ``processes``,
    ``disk``, ``output``, ``stopped``, ``survivors`` (some of it could not be ended) and the like.
    """

    code: int | None
    output: bytes
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateContext:
    """One change, or one tree, to judge: ``tree`` is what would land on ``onto``.

    A gate that judges trees may get one that several changes lead to; ``task``, ``execution`` and
    ``work`` are then those of the last. ``change`` is the change's id, ``patch`` gives it as git
    prints it; ``message`` is the attempt's commit message. ``checkout`` is the tree as files for
    gates that need it; ``run`` starts a command there (argv, deadline in seconds) in its own
    session and ends its whole process group. ``scratch`` is a private directory that the command
    may write. Only the tests in ``only`` are to be run, all when it is empty. Failures of the
    tests in ``quarantined`` count for nothing.
    """

    task: TaskSpec
    execution: str
    attempt: int
    tree: str
    onto: str
    work: str
    message: str
    changes: tuple[Change, ...]
    settings: Mapping[str, object]
    deadline_s: float
    checkout: Path | None
    run: Callable[[Sequence[str], float], CommandResult]
    change: str = ""
    patch: Callable[[], bytes] = bytes
    scratch: Path | None = None
    only: tuple[str, ...] = ()
    quarantined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """A gate's answer: ``reason`` is a short stable code, ``detail`` one line for a person.

    ``not_run`` means the gate could not judge: never green and never the change's fault.
    ``executed`` counts the tests that were run, ``failed`` names those that failed, as they can be
    asked for in ``GateContext.only``, and ``ignored`` those that failed and are quarantined.
    ``artifacts`` are files for the evidence, by name (letters, digits, ``.``, ``_`` and ``-``).
    """

    status: Literal["pass", "fail", "not_run"]
    reason: str
    detail: str = ""
    log: bytes = b""
    executed: int = 0
    failed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    artifacts: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an answer that is none of the three; raises ``ValueError``."""
        if self.status not in VERDICTS:
            raise ValueError(f"GateResult.status must be one of {VERDICTS}, not {self.status!r}")


class GateRunner(Protocol):
    """Judges changes. Constructed without arguments."""

    def judge(self, context: GateContext) -> GateResult:
        """Return the verdict on one change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProblem:
    """Something wrong with a plan file, at a line (0 when it concerns the whole)."""

    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPlan:
    """A plan as read; problems found by the core's own checks are added later."""

    tasks: tuple[TaskSpec, ...]
    problems: tuple[PlanProblem, ...] = ()


class PlanReader(Protocol):
    """Reads one plan format. Constructed without arguments."""

    def recognises(self, text: str) -> bool:
        """Tell whether this text is in the reader's format."""

    def read(self, text: str) -> DraftPlan:
        """Return the tasks, and every problem at once; never raise for bad input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRequest:
    """Merge ``theirs`` into ``ours``; ``base`` is the commit that ``theirs`` started from."""

    git: Git
    base: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """A merged ``tree``, or the paths in ``conflicts``; ``confidence`` is between 0 and 1."""

    tree: str = ""
    conflicts: tuple[str, ...] = ()
    confidence: float = 1.0
    detail: str = ""


class TreeMerger(Protocol):
    """Merges trees without a checkout. Constructed without arguments."""

    def merge(self, request: MergeRequest) -> MergeResult:
        """Return a tree or the conflicts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventContext:
    """Where an event comes from, and where the plugin that is told of it may write.

    ``seq`` is the event's number in the team's ledger; ``state_dir`` exists, belongs to this
    plugin alone and lies outside every working tree.
    """

    team: str
    seq: int
    state_dir: Path
