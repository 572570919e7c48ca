"""What a policy file says, as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitcto.model.step_records import SINGLE_WORKER
from gitcto.policy.budget_settings import Budgets
from gitcto.policy.eligibility_settings import EligibilitySettings

if TYPE_CHECKING:
    from gitcto.policy.strategies import StrategySettings

Scalar = str | int | float | bool
Setting = Scalar | tuple[Scalar, ...] | dict[str, Scalar]
"""A plugin's setting: a TOML list arrives as a tuple, a table as a dictionary."""

SCOPE_PLUGIN = "paths"
"""The gate plugin that enforces ``[scope]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one attempt may use.

    Seconds in all, seconds without sign of life, MiB and lines of output kept, MiB of memory and
    number of processes of its whole tree, MiB of its largest file and of all it has on disk.
    """

    wall_s: int
    idle_s: int
    output_mib: int
    output_lines: int
    memory_mib: int
    processes: int
    file_mib: int
    disk_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a task may fail by its own fault, and how often by conflicts on landing.

    ``adopt_late`` is whether work that came after its lease is judged when nothing newer exists.
    After a provider's fault that passes, a task waits ``backoff_s`` seconds at most, twice as long
    after each further one, up to ``backoff_max_s``; a task has ``faults_per_task`` of them before a
    person must look, a run ``faults_per_run`` before it starts nothing more.
    """

    max_attempts: int
    conflict: int
    adopt_late: bool
    backoff_s: int
    backoff_max_s: int
    faults_per_task: int
    faults_per_run: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How workers are kept in their rooms.

    ``use`` names sandbox plugins: the first that proves itself on this machine is used.
    ``network`` are the ``host:port`` that a worker may reach, ``reads`` further paths it may read
    (``~/`` is the home directory). ``outside`` says what a change outside the room means at a
    level that confines writes: ``tell`` records it, ``refuse`` also keeps the work from landing.
    """

    use: tuple[str, ...]
    network: tuple[str, ...]
    reads: tuple[str, ...]
    outside: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A command that makes a fresh room ready; nothing is run when ``argv`` is empty.

    What it makes below ``keeps`` is kept under the digest of the files ``keyed_by``, and put into
    later rooms instead of running it again.
    """

    argv: tuple[str, ...]
    keyed_by: tuple[str, ...]
    keeps: tuple[str, ...]
    deadline_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSettings:
    """How workers' rooms are made and kept.

    ``plugin`` is the workspace plugin of roles that name none, ``pool`` how many trees are kept
    warm, ``sparse`` whether a task that names its paths gets only these, ``ports`` how many ports
    a worker gets, ``finish`` a command run in the room after its worker. Nothing new is started
    while rooms take more than ``disk_mib`` or the disk has less than ``free_mib`` left; warm trees
    and kept set-ups go after ``max_age_days``. Ignored files that match ``preserve_ignored`` are
    kept with work that does not land.
    """

    plugin: str
    pool: int
    sparse: bool
    ports: int
    finish: tuple[str, ...]
    setup: Setup
    disk_mib: int
    free_mib: int
    max_age_days: int
    preserve_ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Who does the tasks of a role: the ``providers`` that may, in order, workspace and strategy.

    A role that names none is done by those that have earned to be the default.
    """

    providers: tuple[str, ...]
    workspace: str
    strategy: str = SINGLE_WORKER

    @property
    def provider(self) -> str:
        """The first provider, or nothing."""
        return self.providers[0] if self.providers else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """A configured provider: the plugin that runs it, and that plugin's own settings."""

    plugin: str
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """A configured gate; ``deadline_s`` (seconds) is None when the plugin's default applies.

    ``toolchain`` is a command whose output names the tools that the gate's result depends on;
    ``env`` names the variables of the environment that it is given, and depends on.
    """

    plugin: str
    deadline_s: int | None
    toolchain: tuple[str, ...]
    env: tuple[str, ...]
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierApproval:
    """How many persons must approve a change of a tier, who may, and for how long it is asked.

    Nobody in ``approvers`` means that anybody may who can write this repository's ledger.
    """

    count: int
    approvers: tuple[str, ...]
    expires_h: int

    def counted(self, by: Iterable[str]) -> tuple[str, ...]:
        """Return those whose approval counts, each once."""
        return tuple(p for p in dict.fromkeys(by) if not self.approvers or p in self.approvers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A test whose failures count for nothing until the day ``expires`` (``YYYY-MM-DD``) is over.

    ``test`` is its id as its gate names it; ``owner`` is who mends it.
    """

    test: str
    owner: str
    expires: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """Where landed work is pushed: ``name`` is a remote of the repository, or nothing.

    With ``ledger`` the remote's copy of the ledger is the authority: a claim counts once the
    remote has it, so that the clones of several machines may run one team.
    """

    name: str
    ledger: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """How much a worker is told: ``budget_tokens`` at most, compacted above ``compact_at`` percent.

    A token is estimated as four bytes of the prompt.
    """

    budget_tokens: int
    compact_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """How messages are handed over: ``max_tries`` times, the first pause ``backoff_s`` seconds.

    ``per_task`` is how many messages the workers of one task may send in all;
    ``interrupts_by_workers`` whether theirs may end the worker of another task.
    """

    max_tries: int
    backoff_s: int
    per_task: int
    interrupts_by_workers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestSettings:
    """Which ``integration`` opens pull requests (none: nobody), and the branch they go into."""

    integration: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """Who approves of plans that agents draft (``ask`` a person, or ``auto``), and their size."""

    approve_drafts: str
    max_tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy file. ``digest`` is the SHA-256 of ``text``, the file's bytes.

    ``protected_paths`` are globs no task may change, ``default_paths`` those that a task without
    ``paths`` of its own may. A tier without gates refuses everything; ``tier_levels`` names the
    weakest level of isolation that a tier's workers may run at, ``approvals`` what persons must
    say. ``queue_capacity`` is how many trees are judged at once, ``queue_predictor`` the plugin
    that guesses which are green, or nothing; ``signing_key`` the file of the SSH key that evidence
    is signed with, or nothing.
    """

    digest: str
    text: bytes = field(repr=False)
    target_template: str
    max_workers: int
    lease_s: int
    limits: Limits
    retries: Retries
    budgets: Budgets
    rooms: RoomSettings
    context: ContextSettings
    sandbox: SandboxSettings
    eligibility: EligibilitySettings
    protected_paths: tuple[str, ...]
    default_paths: tuple[str, ...]
    roles: Mapping[str, Role]
    providers: Mapping[str, ProviderSettings]
    gates: Mapping[str, GateSettings]
    tiers: Mapping[str, tuple[str, ...]]
    tier_levels: Mapping[str, str]
    approvals: Mapping[str, TierApproval]
    queue_capacity: int
    queue_predictor: str
    quarantine: tuple[Quarantined, ...]
    mail: MailSettings
    remote: RemoteSettings
    pull_requests: PullRequestSettings
    signing_key: str
    merge_resolvers: tuple[str, ...]
    required_plugins: Mapping[str, str]
    strategies: Mapping[str, StrategySettings]
    plans: PlanSettings

    def target(self, team: str) -> str:
        """Return the full name of the branch that a team lands on."""
        return f"refs/heads/{self.target_template.replace('{team}', team)}"
