"""Commands: what somebody wants recorded. ``decide`` answers with events or with a refusal."""

from __future__ import annotations

from msgspec import Struct

from gitcto.model.circuit_commands import CircuitCommand
from gitcto.model.context_commands import RecordCheckpoint
from gitcto.model.draft_commands import DraftCommand
from gitcto.model.effect_commands import EffectCommand
from gitcto.model.lease_commands import ExpireLease, LeaseCommand
from gitcto.model.mail_commands import MailCommand, MailOutcome
from gitcto.model.provider_commands import ProviderCommand
from gitcto.model.queue_commands import QueueCommand, QueueOutcome
from gitcto.model.records import Decision, Landing, TaskSpec, TeamMode, Verdict
from gitcto.model.spending_events import ReachBudget
from gitcto.model.step_commands import StepOutcome


class Refusal(Struct, frozen=True):
    """Why a command was not carried out: a stable code, the rule, and the facts."""

    code: str
    rule: str
    detail: str


class CreateTeam(Struct, frozen=True, kw_only=True):
    """Begin a team that lands on branch ``target`` (a full ref name)."""

    team: str
    target: str


class AdoptPolicy(Struct, frozen=True, kw_only=True):
    """Decide by the policy file with this SHA-256 from now on."""

    digest: str


class SetMode(Struct, frozen=True, kw_only=True):
    """Pause, resume, drain or stop the team."""

    mode: TeamMode


class ImportPlan(Struct, frozen=True, kw_only=True):
    """Add tasks, in an order in which each comes after what it depends on."""

    source: str
    digest: str
    tasks: tuple[TaskSpec, ...]


class BlockTask(Struct, frozen=True, kw_only=True):
    """Take a queued task out of the queue: ``decision`` denied it, and a person must look."""

    task: str
    reason: str
    decision: Decision


class RequeueTask(Struct, frozen=True, kw_only=True):
    """Give a failed or blocked task another set of attempts."""

    task: str


class Lease(Struct, frozen=True, kw_only=True):
    """Claim a ready task for one execution; ``max_workers`` is policy's limit."""

    task: str
    execution: str
    base: str
    provider: str
    role: str
    workspace: str
    holder: str
    expires_ms: int
    max_workers: int
    decision: Decision
    nonce: str = ""
    strategy: str = ""
    strategy_file: str = ""


class RenewLease(Struct, frozen=True, kw_only=True):
    """Extend a lease on evidence of life."""

    execution: str
    epoch: int
    expires_ms: int


class TakeLease(Struct, frozen=True, kw_only=True):
    """Continue an execution whose holder is gone; the caller proved that it is.

    ``lapsed_ms`` is for a holder that nobody can ask: when its lease ended, as the caller saw it. A
    lease that was renewed since is not taken.
    """

    execution: str
    epoch: int
    holder: str
    expires_ms: int
    lapsed_ms: int = 0


class RecordStart(Struct, frozen=True, kw_only=True):
    """The worker's process exists."""

    execution: str
    epoch: int
    pid: int
    process_start: str
    isolation: str
    sandbox: str = ""
    probe: dict[str, str] = {}


class RecordOutside(Struct, frozen=True, kw_only=True):
    """What changed outside an execution's room, whatever its epoch; see ``OutsideChanged``."""

    execution: str
    changes: tuple[str, ...]
    blocking: bool


class RecordExit(Struct, frozen=True, kw_only=True):
    """The worker's process tree is gone; see :class:`gitcto.model.events.ExecutionExited`."""

    execution: str
    epoch: int
    code: int
    cause: str


class RecordHarvest(Struct, frozen=True, kw_only=True):
    """What the worker left is now a commit; ``change`` is its id where steps judged changes."""

    execution: str
    epoch: int
    commit: str
    tree: str
    changed: int
    change: str = ""


class RecordPreserved(Struct, frozen=True, kw_only=True):
    """Work of any execution, whatever its epoch, is kept under ``ref``; see ``WorkPreserved``."""

    execution: str
    ref: str
    commit: str
    seat: str = ""


class DiscardWork(Struct, frozen=True, kw_only=True):
    """A person gives up work that ``ref`` keeps; the ref may go once this is recorded."""

    execution: str
    ref: str
    commit: str
    reason: str = ""


class RecordVerdicts(Struct, frozen=True, kw_only=True):
    """Gates have judged."""

    execution: str
    epoch: int
    verdicts: tuple[Verdict, ...]


class IntendLanding(Struct, frozen=True, kw_only=True):
    """Move the target next; ``required`` names the gates whose pass on this tree is demanded."""

    execution: str
    epoch: int
    landing: Landing
    required: tuple[str, ...]
    decision: Decision


class AbandonLanding(Struct, frozen=True, kw_only=True):
    """The target was not moved and will not be by this intent."""

    execution: str
    epoch: int
    reason: str


class ConfirmLanding(Struct, frozen=True, kw_only=True):
    """The target holds the commit; ``found`` says whether we moved it or recovery saw it.

    ``push`` says where it was pushed to, or why it was not.
    """

    execution: str
    epoch: int
    found: str
    decision: Decision
    push: str = ""


class FailExecution(Struct, frozen=True, kw_only=True):
    """End an attempt without landing.

    ``charged`` failures count up to ``max_attempts``, those by a provider's ``fault`` (its kind)
    that passes up to ``max_faults``; with ``block`` a person must look first. The next attempt
    begins not before ``not_before_ms``.
    """

    execution: str
    epoch: int
    reason: str
    detail: str
    charged: bool
    max_attempts: int
    block: bool = False
    evidence: str = ""
    fault: str = ""
    max_faults: int = 0
    not_before_ms: int = 0


OutcomeCommand = (
    RenewLease
    | TakeLease
    | RecordStart
    | RecordExit
    | RecordHarvest
    | RecordVerdicts
    | IntendLanding
    | AbandonLanding
    | ConfirmLanding
    | FailExecution
    | ExpireLease
    | RecordCheckpoint
    | ReachBudget
    | StepOutcome
    | QueueOutcome
    | MailOutcome
)
"""Commands that quote a fencing token; an old one is refused and recorded."""

SingleCommand = (
    CreateTeam
    | AdoptPolicy
    | SetMode
    | ImportPlan
    | BlockTask
    | RequeueTask
    | Lease
    | RecordOutside
    | RecordPreserved
    | DiscardWork
    | LeaseCommand
    | CircuitCommand
    | QueueCommand
    | EffectCommand
    | ProviderCommand
    | DraftCommand
    | MailCommand
    | OutcomeCommand
)


class Together(Struct, frozen=True):
    """Several commands as one transaction: all of them are recorded, or none.

    When one quotes an old fencing token, that is all that is recorded.
    """

    commands: tuple[SingleCommand, ...]


Command = SingleCommand | Together
