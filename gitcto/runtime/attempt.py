"""One attempt at a task, as a job: make the room, start the worker, wait, take up its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.fingerprint import Fingerprint
from gitcto.git.harvest import HarvestRefused, harvest
from gitcto.mailbox import VARIABLE as MAIL_VARIABLE
from gitcto.mailbox import make_mailbox, path_in
from gitcto.model.records import Execution, Task
from gitcto.policy.records import Policy
from gitcto.provider_contracts import (
    Launch,
    LaunchRequest,
    WorkerOutcome,
    WorkerReport,
    failed,
)
from gitcto.runtime import outside, workers
from gitcto.runtime.ask import ask
from gitcto.runtime.backends import must_be_as_found
from gitcto.runtime.briefing import Briefing
from gitcto.runtime.coauthors import coauthors
from gitcto.runtime.commits import attempt_commit
from gitcto.runtime.context import Context
from gitcto.runtime.isolation import Inmate, confine, isolation_of, make_home
from gitcto.runtime.jobs import Post
from gitcto.runtime.left_behind import note_left
from gitcto.runtime.lfs import LfsCleaner
from gitcto.runtime.messages import NO_WORK, NotStarted, Work, WorkerFinished, WorkerStarted
from gitcto.runtime.ports import reserve
from gitcto.runtime.providers import ASK_DEADLINE_S, provider_of
from gitcto.runtime.rooms import cone_of_room, make_room, needs_of
from gitcto.runtime.run_files import LAUNCH
from gitcto.runtime.setup import RoomCommands
from gitcto.runtime.unstartable import Unstartable
from gitcto.runtime.workers import Started
from gitcto.store.sidecar import sidecar_path


def begin(
    context: Context,
    task: Task,
    execution: Execution,
    briefing: Briefing,
    idle: tuple[str, ...] = (),
) -> Callable[[Post], None]:
    """Return the job of a new attempt.

    ``briefing`` is what its worker is told; in the rooms of the ``idle`` executions nobody works.
    """

    def job(post: Post) -> None:
        try:
            with storage_errors(f"start the worker of {execution.id}"):
                must_be_as_found(context, execution.provider)
                _make_room(context, task, execution)
                before = outside.remember(context, execution, idle)
                inmate = _prepare(context, task, execution, briefing)
                started = _spawn(context, execution, inmate)
        except CtoError as error:
            detail = f"{error.message}; {error.hint}"
            reason = error.reason if isinstance(error, Unstartable) else "not_started"
            work = work_unseen(context, task, execution)
            post(NotStarted(execution=execution, reason=reason, detail=detail, work=work))
            return
        post(WorkerStarted(execution=execution, started=started))
        post(_finish(context, task, execution, before))

    return job


def adopt(
    context: Context, task: Task, execution: Execution, removing: frozenset[str] = frozenset()
) -> Callable[[Post], None]:
    """Return the job that continues an attempt which another orchestrator began.

    ``removing`` are the executions whose rooms this run clears away meanwhile.
    """

    def job(post: Post) -> None:
        before = outside.remembered(context, execution)
        post(_finish(context, task, execution, before, removing))

    return job


def _make_room(context: Context, task: Task, execution: Execution) -> None:
    pin = context.layout.execution_ref(execution.id)
    context.refs.compare_and_swap(pin, None, execution.base)
    context.effects.crash_point("attempt.pinned")
    make_room(context, task, execution)


def _prepare(context: Context, task: Task, execution: Execution, briefing: Briefing) -> Inmate:
    layout = context.layout
    commands_in(context, execution).set_up()
    context.effects.crash_point("attempt.room")
    launch = _launch(context, task, execution, briefing)
    needs = needs_of(context, execution)
    room = layout.room(execution.id)
    return Inmate(
        argv=launch.argv,
        env={**_environment(context, execution), **launch.env},
        cwd=room,
        writes=(room, layout.scratch(execution.id)),
        reads=(*needs.reads, *launch.reads),
        fixed=needs.fixed,
        asked=_driven(context, execution),
    )


def _driven(context: Context, execution: Execution) -> Path | None:
    """Return the scratch directory of an execution whose worker is a driver, else None."""
    registered, _ = provider_of(context, execution)
    driven = registered.descriptor.abilities.interrupt == "protocol"
    return context.layout.scratch(execution.id) if driven else None


def _spawn(context: Context, execution: Execution, inmate: Inmate) -> Started:
    layout = context.layout
    private = layout.private(execution.id)
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    program = confine(context, inmate, private)
    layout.executions.mkdir(parents=True, exist_ok=True)
    heartbeat = workers.Heartbeat(
        sidecar=sidecar_path(context.repository), team=layout.team, execution=execution.id
    )
    records = layout.records(execution.id)
    return workers.spawn(records, program, limits_of(context.policy), heartbeat)


def limits_of(policy: Policy) -> workers.Limits:
    """Return what one attempt may use."""
    limits = policy.limits
    return workers.Limits(
        wall_s=limits.wall_s,
        idle_s=limits.idle_s,
        output_bytes=limits.output_mib << 20,
        output_lines=limits.output_lines,
        memory_bytes=limits.memory_mib << 20,
        processes=limits.processes,
        file_bytes=limits.file_mib << 20,
        disk_bytes=limits.disk_mib << 20,
    )


def _launch(context: Context, task: Task, execution: Execution, briefing: Briefing) -> Launch:
    registered, settings = provider_of(context, execution)
    scratch = context.layout.scratch(execution.id)
    make_home(scratch)
    make_mailbox(scratch, briefing.letters)
    prompt = scratch / "prompt.md"
    prompt.write_bytes(briefing.prompt)
    request = LaunchRequest(
        task=task.spec,
        execution=execution.id,
        attempt=execution.attempt,
        workspace=context.layout.room(execution.id),
        scratch=scratch,
        prompt_file=prompt,
        settings=settings.settings,
        host_env=context.environ,
        notes=briefing.notes,
        level=isolation_of(context).level,
    )
    answer: Launch | Crashed | TimedOut = ask(
        context.plugins, registered, "launch", request, deadline_s=ASK_DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        raise answer.error()
    return answer


def _environment(context: Context, execution: Execution) -> dict[str, str]:
    layout, count = context.layout, context.policy.rooms.ports
    scratch = layout.scratch(execution.id)
    return {
        **context.worker_env,
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        MAIL_VARIABLE: str(path_in(scratch)),
        "CTO_TASK": execution.task,
        "CTO_EXECUTION": execution.id,
        "CTO_ATTEMPT": str(execution.attempt),
        **reserve(layout.ports, layout.place(execution.id), count).environment(),
    }


def commands_in(context: Context, execution: Execution) -> RoomCommands:
    """Return policy's commands for the room of an execution."""
    return RoomCommands(
        context=context,
        execution=execution,
        env=_environment(context, execution),
        limits=limits_of(context.policy),
    )


def _finish(
    context: Context,
    task: Task,
    execution: Execution,
    before: Fingerprint | None,
    removing: frozenset[str] = frozenset(),
) -> WorkerFinished:
    exit_ = workers.wait(context.layout.records(execution.id))
    report = _collect(context, execution, exit_)
    report = commands_in(context, execution).finish(exit_, report)
    changed = outside.compare(context, execution, before, removing)
    finished = WorkerFinished(
        execution=execution, exit=exit_, report=report, work=None, outside=changed
    )
    try:
        return replace(finished, work=take_up(context, task, execution))
    except HarvestRefused as refused:
        return replace(finished, refusal=refused.reason, refusal_detail=refused.message)


def work_unseen(context: Context, task: Task, execution: Execution) -> Work | None:
    """Return what a worker left that nobody saw start; None when its room must stay as it is.

    A room in which no program can have run holds no work.
    """
    layout = context.layout
    launched = (layout.records(execution.id) / LAUNCH).exists()
    if not launched or not layout.room(execution.id).exists():
        return NO_WORK
    try:
        return take_up(context, task, execution)
    except HarvestRefused:
        return None


def take_up(context: Context, task: Task, execution: Execution) -> Work:
    """Harvest an execution's room into a commit under its execution ref.

    What is not taken up with the rest is noted, so that its room stays. Raises
    :class:`HarvestRefused` when the room is gone or holds what must not be taken up.
    Doing it twice gives the same commit.
    """
    room = context.layout.room(execution.id)
    place = context.layout.place(execution.id)
    taken = harvest(
        context.repository,
        room,
        execution.base,
        place,
        cone=cone_of_room(context, execution),
        clean=LfsCleaner(context, execution, limits_of(context.policy)),
    )
    context.effects.crash_point("attempt.harvested")
    note_left(context.layout, execution, taken.dropped)
    others = coauthors(context, execution, taken.tree)
    commit = attempt_commit(context, task.spec, execution, taken.tree, others)
    pin = context.layout.execution_ref(execution.id)
    current = context.refs.read(pin)
    if current != commit:
        context.refs.compare_and_swap(pin, current, commit)
    context.effects.crash_point("attempt.kept")
    return Work(commit=commit, tree=taken.tree, changed=len(taken.changes))


def _collect(context: Context, execution: Execution, exit_: workers.Exit) -> WorkerReport:
    settings = context.policy.providers.get(execution.provider)
    registered = context.plugins.providers().get(settings.plugin) if settings else None
    if registered is None:
        ended = f"exit code {exit_.code}"
        return WorkerReport() if exit_.code == 0 else failed("tool", ended)
    records = context.layout.records(execution.id)
    outcome = WorkerOutcome(
        code=exit_.code,
        cause=exit_.cause,
        stdout=records / "stdout.log",
        stderr=records / "stderr.log",
        scratch=context.layout.scratch(execution.id),
        settings=settings.settings if settings else {},
        cut_bytes=exit_.cut_bytes,
    )
    answer: WorkerReport | Crashed | TimedOut = ask(
        context.plugins, registered, "collect", outcome, deadline_s=ASK_DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        return failed("internal", f"{answer.what}: {answer.reason}")
    return answer
