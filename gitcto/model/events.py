"""The events of a team's ledger: facts, in the past tense, each tagged and versioned.

Historical names stay: a kind once written is never reused for another meaning. A change of an
event's shape raises its ``VERSION`` and adds an upcaster in :mod:`gitcto.model.codec`.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from gitcto.model.body import Body
from gitcto.model.circuit_events import CircuitEventBody
from gitcto.model.context_events import ContextCheckpointed
from gitcto.model.draft_events import DraftEventBody
from gitcto.model.effect_events import EffectEventBody
from gitcto.model.lease_events import LeaseEventBody
from gitcto.model.mail_events import MailEventBody
from gitcto.model.outside_events import OutsideChanged
from gitcto.model.provider_events import ProviderEventBody
from gitcto.model.queue_events import QueueEventBody
from gitcto.model.records import Decision, Landing, TaskSpec, TaskState, TeamMode, Verdict
from gitcto.model.spending_events import BudgetReached
from gitcto.model.step_events import StepEventBody


class TeamCreated(Body, frozen=True, kw_only=True, tag_field="kind", tag="team.created"):
    """The first event of every ledger."""

    team: str
    target: str


class PolicyAdopted(Body, frozen=True, kw_only=True, tag_field="kind", tag="policy.adopted"):
    """Decisions from here on cite this policy; its bytes are in the same transaction's tree."""

    digest: str


class TeamModeChanged(Body, frozen=True, kw_only=True, tag_field="kind", tag="team.mode_changed"):
    """A person paused, resumed, drained or stopped the team."""

    mode: TeamMode


class PlanImported(Body, frozen=True, kw_only=True, tag_field="kind", tag="plan.imported"):
    """A plan was read; one ``task.added`` per task follows in the same transaction."""

    source: str
    digest: str
    tasks: int


class TaskAdded(Body, frozen=True, kw_only=True, tag_field="kind", tag="task.added"):
    """A task joined the team's plan."""

    VERSION: ClassVar[int] = 2

    task: TaskSpec


class TaskBlocked(Body, frozen=True, kw_only=True, tag_field="kind", tag="task.blocked"):
    """Policy denied a queued task; it waits for a person."""

    task: str
    reason: str
    decision: Decision


class TaskRequeued(Body, frozen=True, kw_only=True, tag_field="kind", tag="task.requeued"):
    """A person asked for another attempt at a task that had failed or was blocked."""

    task: str


class ExecutionLeased(Body, frozen=True, kw_only=True, tag_field="kind", tag="execution.leased"):
    """A task was claimed: the intent to start one attempt under fencing token ``epoch``.

    ``nonce`` is random; evidence without it was not made for this attempt. Its steps are those of
    ``strategy``, in the file of SHA-256 ``strategy_file``: the policy, or one beside this event.
    """

    VERSION: ClassVar[int] = 3

    execution: str
    task: str
    epoch: int
    attempt: int
    base: str
    provider: str
    role: str
    workspace: str
    holder: str
    expires_ms: int
    decision: Decision
    nonce: str = ""
    strategy: str = ""
    strategy_file: str = ""


class LeaseRenewed(Body, frozen=True, kw_only=True, tag_field="kind", tag="lease.renewed"):
    """There was evidence of life, so the lease lasts longer; the token stays."""

    execution: str
    epoch: int
    expires_ms: int


class LeaseTaken(Body, frozen=True, kw_only=True, tag_field="kind", tag="lease.taken"):
    """Another orchestrator took over an execution whose holder is gone; the token stays."""

    execution: str
    epoch: int
    holder: str
    expires_ms: int


class ExecutionStarted(Body, frozen=True, kw_only=True, tag_field="kind", tag="execution.started"):
    """The worker's process exists; ``process_start`` tells it from a later one with its pid.

    ``isolation`` is the level it runs at, ``sandbox`` the plugin that holds it there, ``probe``
    what that sandbox did, when the run began, with each attack: ``stopped`` or ``open``.
    """

    VERSION: ClassVar[int] = 2

    execution: str
    epoch: int
    pid: int
    process_start: str
    isolation: str
    sandbox: str = ""
    probe: dict[str, str] = field(default_factory=dict)


class ExecutionExited(Body, frozen=True, kw_only=True, tag_field="kind", tag="execution.exited"):
    """The worker's whole process tree is gone.

    ``cause`` is ``exited`` when the worker ended by itself. Otherwise it was ended: for a limit
    (``wall``, ``idle``, ``output``, ``memory``, ``processes``, ``disk``), on request (``stopped``),
    its helper outside the sandbox failed (``helper``), or its supervisor was killed (``lost``).
    """

    execution: str
    epoch: int
    code: int
    cause: str


class WorkHarvested(Body, frozen=True, kw_only=True, tag_field="kind", tag="work.harvested"):
    """What the worker left was taken up as one commit on the attempt's base."""

    execution: str
    epoch: int
    commit: str
    tree: str
    changed: int


class WorkPreserved(Body, frozen=True, kw_only=True, tag_field="kind", tag="work.preserved"):
    """Work that did not land is kept under a ref.

    With ``seat`` it is what was made there beside the work that the execution goes on with.
    """

    VERSION: ClassVar[int] = 2

    execution: str
    ref: str
    commit: str
    seat: str = ""


class WorkDiscarded(Body, frozen=True, kw_only=True, tag_field="kind", tag="work.discarded"):
    """A person gave up kept work: ``ref`` goes as long as it holds ``commit``."""

    execution: str
    ref: str
    commit: str
    reason: str = ""


class GateJudged(Body, frozen=True, kw_only=True, tag_field="kind", tag="gate.judged"):
    """One gate gave its verdict on one tree."""

    VERSION: ClassVar[int] = 2

    execution: str
    epoch: int
    verdict: Verdict


class LandingIntended(Body, frozen=True, kw_only=True, tag_field="kind", tag="landing.intended"):
    """The target is about to be moved; recovery asks the target whether it was.

    Changes that were judged together have the same ``landing.new``, and each its own
    ``landing.commit``.
    """

    VERSION: ClassVar[int] = 2

    execution: str
    epoch: int
    landing: Landing
    decision: Decision


class LandingAbandoned(Body, frozen=True, kw_only=True, tag_field="kind", tag="landing.abandoned"):
    """The target had moved, so the intent was not carried out; the work is validated again."""

    execution: str
    epoch: int
    reason: str


class LandingDone(Body, frozen=True, kw_only=True, tag_field="kind", tag="landing.done"):
    """The target holds the commit: the one event that makes a task done.

    ``push`` says where it was pushed to, or why it was not.
    """

    VERSION: ClassVar[int] = 2

    execution: str
    epoch: int
    target: str
    commit: str
    evidence: str
    found: str
    decision: Decision
    push: str = ""


class ExecutionFailed(Body, frozen=True, kw_only=True, tag_field="kind", tag="execution.failed"):
    """This attempt is over without landing; ``then`` says what becomes of the task.

    ``charged`` tells whether it counts against the task's attempts: what the machine, a provider or
    a person did does not. ``fault`` is the kind of a provider's fault that ended it; the task
    waits until ``not_before_ms``.
    """

    VERSION: ClassVar[int] = 2

    execution: str
    epoch: int
    reason: str
    detail: str
    charged: bool
    then: TaskState
    evidence: str = ""
    fault: str = ""
    not_before_ms: int = 0


class OutcomeRefused(Body, frozen=True, kw_only=True, tag_field="kind", tag="outcome.refused"):
    """A late worker quoted an old fencing token; its outcome changed nothing."""

    execution: str
    quoted: int
    current: int
    command: str


EventBody = (
    TeamCreated
    | PolicyAdopted
    | TeamModeChanged
    | PlanImported
    | TaskAdded
    | TaskBlocked
    | TaskRequeued
    | ExecutionLeased
    | LeaseRenewed
    | LeaseTaken
    | ExecutionStarted
    | ExecutionExited
    | OutsideChanged
    | WorkHarvested
    | WorkPreserved
    | WorkDiscarded
    | GateJudged
    | LandingIntended
    | LandingAbandoned
    | LandingDone
    | ExecutionFailed
    | OutcomeRefused
    | LeaseEventBody
    | QueueEventBody
    | MailEventBody
    | EffectEventBody
    | ProviderEventBody
    | DraftEventBody
    | ContextCheckpointed
    | StepEventBody
    | CircuitEventBody
    | BudgetReached
)
"""Every kind this version writes."""
