"""Frozen records: what the ledger's events are made of and what their fold leaves behind."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from gitcto.model.circuit_records import Circuit
from gitcto.model.draft_records import Asked, Draft
from gitcto.model.mail_records import Mail
from gitcto.model.provider_records import Admission, Comparison, Staged
from gitcto.model.spending import Spent, Totals
from gitcto.model.step_records import Step

Tier = Literal["P0", "P1", "P2"]
Priority = Literal["urgent", "high", "normal", "low"]

MAX_WORKERS = 6
"""Hard cap on one team's workers at once; policy may ask for fewer, never for more."""


class TaskState(StrEnum):
    """Where a task, and the execution that now works on it, stands."""

    QUEUED = "queued"
    DISPATCHING = "dispatching"
    EXECUTING = "executing"
    VALIDATING = "validating"
    INTEGRATING = "integrating"
    DONE = "done"
    BLOCKED = "blocked"
    FAILED = "failed"
    FAILED_TERMINAL = "failed_terminal"


LIVE_STATES = frozenset(
    {TaskState.DISPATCHING, TaskState.EXECUTING, TaskState.VALIDATING, TaskState.INTEGRATING}
)
"""States in which an execution holds a lease."""

WORKING_STATES = frozenset({TaskState.DISPATCHING, TaskState.EXECUTING})
"""States in which an execution has a worker, or is about to: what waits to land needs none."""


class TeamMode(StrEnum):
    """What a team is allowed to start."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    STOPPED = "stopped"


class TaskSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One task of a plan, as a person wrote it.

    ``paths`` are the git pathspec-like globs the task may change (empty: policy decides);
    ``inputs`` fill ``{input.NAME}`` placeholders of a provider template; ``strategy`` takes the
    place of its role's.
    """

    id: str
    title: str
    prompt: str = ""
    depends_on: tuple[str, ...] = ()
    role: str = "developer"
    tier: Tier = "P1"
    priority: Priority = "normal"
    paths: tuple[str, ...] = ()
    owner: str = ""
    inputs: dict[str, str] = {}
    strategy: str = ""


class Decision(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why something was allowed: enough to evaluate the same rule again.

    ``rule`` is a path into the policy file, ``policy`` the SHA-256 of that file and ``inputs`` the
    facts the rule was applied to.
    """

    action: str
    resource: str
    subject: str
    rule: str
    policy: str
    inputs: dict[str, str]
    verdict: Literal["allow", "deny"]
    reason: str


class Verdict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one gate said about one tree, or about one change whatever it lands on.

    ``change`` is empty for a gate that judges trees. For one that judges changes it is the id of
    the change: the SHA-256 of its stable patch id and the paths it touches. ``definition`` is the
    SHA-256 of the gate's configuration, ``key`` of all that the result depends on; ``log`` the
    blob with its output (empty when there is none). ``not_run`` is neither a pass nor the change's
    fault. ``executed`` counts tests where the gate knows, ``failed`` names those that failed.
    ``execution`` is the one for whose work it was given: a verdict that is reused keeps it.
    """

    gate: str
    status: Literal["pass", "fail", "not_run"]
    reason: str
    tree: str
    definition: str
    detail: str = ""
    log: str = ""
    duration_ms: int = 0
    change: str = ""
    key: str = ""
    executed: int = 0
    failed: tuple[str, ...] = ()
    execution: str = ""


class Landing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The intent to move ``target`` from ``old`` to ``new``, a commit that holds ``tree``.

    ``commit`` is this execution's own: ``new`` or, when changes were judged together, one of its
    ancestors; ``change`` is the id of what it changes, ``run`` the queue's run that judged it.
    """

    target: str
    old: str
    new: str
    tree: str
    evidence: str
    commit: str = ""
    change: str = ""
    run: int = 0


EffectState = Literal["intended", "confirmed", "refused", "unclear", "released"]


class OutsideEffect(Struct, frozen=True, kw_only=True):
    """Something done outside for a task, under one key.

    ``epoch`` is the fencing token under which it was last decided; clone ``sender`` may send it
    until ``until_ms``. ``how`` it was confirmed: ``created``, ``adopted``, or by a ``person``;
    ``id`` and ``url`` are the receipt. ``why`` says what is refused or unclear; a person
    ``released`` what was not done.
    """

    key: str
    effect: str
    integration: str
    epoch: int
    sender: str
    until_ms: int
    state: EffectState = "intended"
    how: str = ""
    id: str = ""
    url: str = ""
    why: str = ""


class Team(Struct, frozen=True, kw_only=True):
    """A team's settings and counters.

    ``counts`` is the number of tasks in each state, ``unknown`` the number of events that this
    version cannot read; above zero, nothing may be changed. ``queue_paused`` is whether a person
    stopped the merge queue, ``queue_resumed`` how often one let it go on. ``unclear`` counts what
    was perhaps done outside, and which a person must look at. ``admissions``, ``stages`` and
    ``comparisons`` are what persons recorded of each provider last; ``circuits`` are the open ones,
    ``used`` is what the team's agents have used; ``drafts`` are the plans that wait for a person,
    ``asked`` those that agents were asked for.
    """

    name: str
    target: str
    mode: TeamMode = TeamMode.RUNNING
    policy: str = ""
    created_ms: int = 0
    unknown: int = 0
    queue_paused: bool = False
    queue_resumed: int = 0
    unclear: int = 0
    counts: dict[str, int] = {}
    circuits: dict[str, Circuit] = {}
    used: Totals = Totals()
    admissions: dict[str, Admission] = {}
    stages: dict[str, Staged] = {}
    comparisons: dict[str, Comparison] = {}
    drafts: dict[str, Draft] = {}
    asked: dict[str, Asked] = {}


class Task(Struct, frozen=True, kw_only=True):
    """A task and what has become of it.

    ``queued_seq`` and ``queued_ms`` say since when it waits, ``waiting_for`` how many of its
    dependencies are not done, ``epoch`` the last fencing token granted, ``attempts`` the
    leases ever granted, ``charged`` those that failed by the task's own fault since it was last
    asked for, ``faults`` and ``unlucky`` those since then that were not: by a provider's fault that
    passes, and by anything else; ``retries`` all failed ones by reason. It is not started before
    ``not_before_ms``; ``spent`` is what its agents have used. ``commit``, ``evidence`` and ``push``
    (where the commit was pushed, or why it was not) are set by landing alone. ``effects`` is what
    was done outside for it, by key; ``checkpoint`` the number of the last one of what its worker is
    told.
    """

    spec: TaskSpec
    order: int
    state: TaskState = TaskState.QUEUED
    queued_seq: int = 0
    queued_ms: int = 0
    waiting_for: int = 0
    epoch: int = 0
    attempts: int = 0
    charged: int = 0
    faults: int = 0
    unlucky: int = 0
    retries: dict[str, int] = {}
    not_before_ms: int = 0
    spent: Spent = Spent()
    execution: str = ""
    reason: str = ""
    detail: str = ""
    commit: str = ""
    evidence: str = ""
    push: str = ""
    effects: dict[str, OutsideEffect] = {}
    checkpoint: int = 0


class Execution(Struct, frozen=True, kw_only=True):
    """One attempt at a task, under one lease.

    ``epoch`` is the fencing token; ``work`` the commit harvested from the workspace on top of
    ``base``; ``preserved`` the ref that keeps work which did not land, ``beside`` refs that keep
    what was made in other seats, and what they hold;
    ``discarded`` the refs, and what they held, that a person gave up; ``outside`` what was
    different outside its room, and ``outside_blocks`` whether that keeps it from landing.
    ``nonce`` was drawn for it at dispatch; ``change`` is the id of its change and ``place`` the
    ledger's number of its harvest. ``approval`` is ``requested``, ``granted`` or ``denied`` for
    that very change; ``ejection`` is why a person wants it out of the queue, ``stop`` why one wants
    its worker ended, ``over`` the denial by the budget that ends it. ``adopted`` is the execution
    whose late work this one is about, ``late`` what became of work that came after the lease.
    ``strategy`` names what says which ``steps`` it takes, ``strategy_file`` is the SHA-256 of the
    file that says it.
    """

    id: str
    task: str
    epoch: int
    attempt: int
    state: TaskState
    holder: str
    base: str
    provider: str
    role: str
    leased_ms: int
    expires_ms: int
    workspace: str = ""
    strategy: str = ""
    strategy_file: str = ""
    steps: tuple[Step, ...] = ()
    isolation: str = ""
    sandbox: str = ""
    nonce: str = ""
    outside: tuple[str, ...] = ()
    outside_blocks: bool = False
    pid: int = 0
    process_start: str = ""
    started_ms: int = 0
    ended_ms: int = 0
    exit: str = ""
    code: int = 0
    work: str = ""
    tree: str = ""
    changed: int = 0
    change: str = ""
    place: int = 0
    approval: str = ""
    approvals_needed: int = 0
    approvals_expire_ms: int = 0
    approved_by: tuple[str, ...] = ()
    ejection: str = ""
    stop: str = ""
    over: Decision | None = None
    adopted: str = ""
    late: str = ""
    verdicts: tuple[Verdict, ...] = ()
    landing: Landing | None = None
    evidence: str = ""
    preserved: str = ""
    beside: dict[str, str] = {}
    discarded: dict[str, str] = {}
    reason: str = ""
    detail: str = ""


Record = Team | Task | Execution | Mail
"""What evolving one event may replace."""
