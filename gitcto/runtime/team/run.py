"""Running a team: one orchestrator per team and clone, from its checks to its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gitcto.effects import Effects
from gitcto.errors import CtoError, ExitCode
from gitcto.git.lock import LockBusy
from gitcto.git.objects import Objects
from gitcto.git.process import trusted
from gitcto.git.refs import Refs
from gitcto.git.remotes import Remote
from gitcto.git.repository import Repository
from gitcto.model.commands import AdoptPolicy, Refusal, SetMode
from gitcto.model.isolation import at_least, confines
from gitcto.model.records import MAX_WORKERS, Execution, Task, TaskState, TeamMode
from gitcto.model.state import State
from gitcto.plugins import Plugins
from gitcto.policy.records import Policy
from gitcto.runtime.agents.strategy_check import must_run
from gitcto.runtime.agents.unreported import must_be_reported
from gitcto.runtime.core.book import Book, Listener
from gitcto.runtime.core.holder import holder_of
from gitcto.runtime.delivery.target import ensure_target, refuse_checked_out, share_target
from gitcto.runtime.host.clone import clone_id
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.isolation import Isolation
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.host.probing import choose_sandbox
from gitcto.runtime.loop.orchestrator import Orchestrator
from gitcto.runtime.loop.recovery import recover
from gitcto.runtime.team.alone import alone
from gitcto.runtime.team.branch_history import refuse_lost_target, refuse_unknown_landings
from gitcto.runtime.team.draft_recovery import take_up_drafts
from gitcto.runtime.team.real_world import real_world
from gitcto.runtime.workspace import trash
from gitcto.runtime.workspace.settle import emptying
from gitcto.runtime.workspace.space import clear_old
from gitcto.store.ledger import Ledger
from gitcto.store.shared import PATIENCE_S, Shared, leave

TIDY_S = 1.0
"""How long the end of a run waits for rooms to be deleted (seconds); the next one does the rest."""

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "SYSTEMROOT")
"""What a worker and a gate get of the caller's environment; all else is policy's to name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Everything a run is given; nothing below reads the environment.

    ``rooms_root`` holds the workers' rooms, outside every repository; ``max_workers`` may lower
    policy's limit; ``actor`` is who events are recorded for. A ``patient`` run waits for the time
    at which a parked provider may be tried again; ``engines`` are the gated engines that a person
    asks for by name.
    """

    repository: Repository
    team: str
    policy: Policy
    plugins: Plugins
    effects: Effects
    rooms_root: Path
    environ: Mapping[str, str]
    actor: str
    max_workers: int = MAX_WORKERS
    patient: bool = False
    engines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended. ``live`` executions go on under their supervisors.

    ``resting`` says why work is left for which a provider or a budget must be waited.
    """

    state: State
    live: tuple[Execution, ...]
    interrupted: bool
    resting: tuple[str, ...] = ()

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The tasks that are not done."""
        tasks = self.state.tasks.values()
        return tuple(task.spec.id for task in tasks if task.state is not TaskState.DONE)


def run_team(request: RunRequest, listener: Listener, interrupted: Callable[[], bool]) -> RunResult:
    """Run a team until nothing is left to do. Raises ``CtoError`` when it may not begin."""
    with _only_orchestrator(request) as opened:
        _begin(opened, listener)
        context = replace(opened, isolation=_chosen(opened, listener))
        return _work(context, listener, interrupted, patient=request.patient)


def stop_team(request: RunRequest, listener: Listener) -> RunResult | None:
    """End a stopped team's workers and keep their work; None when a run is alive and does it."""
    try:
        with _only_orchestrator(request) as opened:
            context = replace(opened, isolation=_if_any(opened))
            return _work(context, listener, lambda: False)
    except LockBusy:
        return None


def _work(
    context: Context,
    listener: Listener,
    interrupted: Callable[[], bool],
    *,
    patient: bool = False,
) -> RunResult:
    book = Book(real_world(context), listener)
    orchestrator = Orchestrator(book, interrupted, patient=patient)
    clear_old(context)
    orchestrator.jobs.start("delete rubbish", emptying(context))
    take_up_drafts(context, listener)
    recover(orchestrator)
    book.world.effects.crash_point("run.recovered")
    orchestrator.run()
    trash.await_empty(context.layout.trash, TIDY_S)
    return RunResult(
        state=book.state,
        live=tuple(book.state.live()),
        interrupted=interrupted(),
        resting=orchestrator.resting,
    )


@contextmanager
def _only_orchestrator(request: RunRequest) -> Iterator[Context]:
    """Hold the team's run lock while its ledger is open for running."""
    layout = Layout(request.repository, request.team, request.rooms_root)
    with alone(layout, request.actor, request.effects.now_ms()):
        context = make_context(request, layout)
        with context.ledger:
            yield context


def make_context(request: RunRequest, layout: Layout) -> Context:
    """Open everything a run works with."""
    repository, effects = request.repository, request.effects
    shared = share(request)
    clone = clone_id(repository, effects.new_id)
    # Where several clones record what their queues do, each must know its own again.
    actor = f"{request.actor}/{clone}" if shared else request.actor
    return Context(
        repository=repository,
        layout=layout,
        policy=request.policy,
        plugins=request.plugins,
        effects=effects,
        ledger=Ledger(repository, request.team, effects, actor, shared),
        objects=Objects(repository),
        refs=Refs(repository),
        git=trusted(repository),
        environ=request.environ,
        worker_env={key: request.environ[key] for key in PASSED_ON if key in request.environ},
        holder=holder_of(request.actor, clone, effects.new_id()),
        max_workers=min(request.max_workers, request.policy.max_workers),
        clone=clone,
        shared=shared,
        engines=request.engines,
    )


def share(request: RunRequest) -> Shared | None:
    """Return the remote that has the last word on a team's ledger, as policy says now."""
    repository, policy = request.repository, request.policy
    name = policy.remote.name if policy.remote.ledger else ""
    leave(repository, request.team, but=name)
    if not name:
        return None
    return Shared(
        Remote(repository, name, request.environ),
        request.team,
        request.effects,
        target=policy.target(request.team),
        patience_s=PATIENCE_S,
    )


def _begin(context: Context, listener: Listener) -> None:
    ledger, policy = context.ledger, context.policy
    context.plugins.require(policy.required_plugins)
    require_named_plugins(context.plugins, policy)
    must_run(context.plugins, policy)
    for what in must_be_reported(context.plugins, policy):
        listener.note(f"{what}: no budget can be held against what it uses")
    share_target(context, policy.target(ledger.team))
    team = ledger.view().team
    if team is None:
        raise CtoError("this team has no ledger yet", "make it with `git cto init`")
    if team.mode is TeamMode.PAUSED:
        raise CtoError(
            f"team {team.name} is paused", "let it go on with `git cto resume`, then run again"
        )
    if team.target != policy.target(team.name):
        raise CtoError(
            f"policy lands on {policy.target(team.name)}, team {team.name} was made for "
            f"{team.target}",
            "set `target` in policy.toml back, or make another team with `git cto init --team`",
            ExitCode.POLICY,
        )
    refuse_lost_target(ledger, context.git, context.refs, team.target)
    refuse_unknown_landings(ledger, context.git, context.refs, team.target)
    ensure_target(context.refs, team.target)
    refuse_checked_out(context.refs, team.target)
    blob = context.objects.write_blob(policy.text)
    answers = [
        ledger.transact(AdoptPolicy(digest=policy.digest), {"policy.toml": blob}),
        ledger.transact(SetMode(mode=TeamMode.RUNNING)),
    ]
    for answer in answers:
        if isinstance(answer, Refusal):
            raise CtoError(f"{answer.code}: {answer.detail}", "run `git cto status`")
    if team.mode is not TeamMode.RUNNING:
        listener.note(f"the team was {team.mode}; it runs again")


def _chosen(context: Context, listener: Listener) -> Isolation:
    """Return the sandbox of this run; refuse when a task to do demands a stronger one."""
    policy = context.policy
    isolation, failed = choose_sandbox(
        context.plugins, policy.sandbox.use, context.layout.rooms_root, context.environ
    )
    for reason in failed:
        listener.note(f"sandbox {reason}")
    if failed or not confines(isolation.level):
        listener.note(f"workers run at isolation level {isolation.level}, as policy allows")
    open_tiers = {task.spec.tier for task in context.ledger.tasks() if not _ended(task)}
    for tier in sorted(open_tiers):
        least = policy.tier_levels[tier]
        if not at_least(isolation.level, least):
            raise CtoError(
                f"tier {tier} demands isolation {least}, this machine gives {isolation.level}"
                + "".join(f" ({reason})" for reason in failed),
                f"make {least} work here, or lower `sandbox` in policy.toml, [tiers.{tier}]",
            )
    return isolation


def _if_any(context: Context) -> Isolation | None:
    """Return a sandbox for what may have to be run to take work up; None when none holds.

    Ending workers must not depend on it: without one, such work stays where it is.
    """
    try:
        return choose_sandbox(
            context.plugins,
            context.policy.sandbox.use,
            context.layout.rooms_root,
            context.environ,
        )[0]
    except CtoError:
        return None


def _ended(task: Task) -> bool:
    return task.state in {TaskState.DONE, TaskState.FAILED_TERMINAL}


def require_named_plugins(plugins: Plugins, policy: Policy) -> None:
    """Refuse to begin when policy uses a capability that no plugin provides (exit 5)."""
    named = [
        ("provider", {each.plugin for each in policy.providers.values()}, plugins.providers()),
        ("gate", {each.plugin for each in policy.gates.values()}, plugins.gates()),
        ("sandbox", set(policy.sandbox.use), plugins.sandboxes()),
        ("workspace", {each.workspace for each in policy.roles.values()}, plugins.workspaces()),
        ("integration", {policy.pull_requests.integration} - {""}, plugins.integrations()),
        ("merge resolver", set(policy.merge_resolvers), plugins.merge_resolvers()),
    ]
    for kind, wanted, offered in named:
        missing = sorted(wanted - set(offered))
        if missing:
            raise CtoError(
                f"policy uses the {kind} {missing[0]!r}, which no installed plugin provides",
                "install the plugin, or take it out of policy.toml; `git cto plugins` lists them",
                ExitCode.PLUGIN_MISSING,
            )
