"""The contracts a plugin's ``target`` fulfils, and the values that cross them.

Every call is contained by the core (deadline, exception, plugin named); what a failure means is
the core's decision. A gate that breaks says no.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gitcto.git.change import Change
    from gitcto.git.process import Git
    from gitcto.model.records import TaskSpec

VERDICTS = ("pass", "fail", "not_run")
"""What a gate may say; anything else is a broken gate, and a broken gate says no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The program behind a provider, which a person admits before its first run.

    ``files`` are the files and directories (absolute) that are executed: their content is hashed,
    and a provider whose hash is not the admitted one is not started. ``version``, ``licence`` (an
    SPDX name) and ``source`` (``npm:@openai/codex@0.169.0``) are what the program says of itself:
    a proposal for the record, nothing more. See :func:`gitcto.backends.backend_of`.
    """

    files: tuple[Path, ...]
    version: str = ""
    licence: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what nothing can be hashed from; raises ``ValueError``."""
        if not self.files or not all(path.is_absolute() for path in self.files):
            raise ValueError("Backend.files must be a non-empty tuple of absolute paths")


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Whether a plugin can work on this machine; ``hint`` says what to do when it cannot.

    ``backend`` is what a provider would start: without one, nothing can be admitted.
    """

    available: bool
    version: str = ""
    hint: str = ""
    backend: Backend | None = None


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
