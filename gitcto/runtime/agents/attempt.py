"""One step of an attempt, as a job: make its room, start its worker, wait, take up its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.git.fingerprint import Fingerprint
from gitcto.git.harvest import HarvestRefused
from gitcto.mailbox import VARIABLE as MAIL_VARIABLE
from gitcto.mailbox import make_mailbox, path_in
from gitcto.provider_contracts import Launch, LaunchRequest
from gitcto.runtime.agents.backends import must_be_as_found
from gitcto.runtime.agents.collecting import collect
from gitcto.runtime.agents.providers import ASK_DEADLINE_S, provider_of
from gitcto.runtime.agents.reading import altered_by, lay_out
from gitcto.runtime.core.briefing import Briefing
from gitcto.runtime.core.jobs import Post
from gitcto.runtime.core.messages import NO_WORK, NotStarted, WorkerFinished, WorkerStarted
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.isolation import Inmate, confine, isolation_of, make_home
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.workers import Started
from gitcto.runtime.workspace import outside
from gitcto.runtime.workspace.ports import reserve
from gitcto.runtime.workspace.rooms import clear_room, make_room, needs_of
from gitcto.runtime.workspace.setup import RoomCommands
from gitcto.runtime.workspace.taking_up import limits_of, take_up, work_unseen
from gitcto.runtime.workspace.unstartable import Unstartable
from gitcto.store.sidecar import sidecar_path


def begin(
    context: Context, turn: Turn, briefing: Briefing, idle: tuple[str, ...] = ()
) -> Callable[[Post], None]:
    """Return the job of a new step.

    ``briefing`` is what its worker is told; in the rooms of the ``idle`` executions nobody works.
    """

    def job(post: Post) -> None:
        try:
            with storage_errors(f"start the worker of {turn.run}"):
                must_be_as_found(context, turn.step.provider)
                _must_be_kept_in(context, turn)
                _make_room(context, turn)
                before = outside.remember(context, turn.observed, idle)
                _set_up(context, turn)
                inmate = _prepare(context, turn, briefing)
                started = _spawn(context, turn, inmate)
        except CtoError as error:
            detail = f"{error.message}; {error.hint}"
            reason = error.reason if isinstance(error, Unstartable) else "not_started"
            work = work_unseen(context, turn)
            post(NotStarted(turn=turn, reason=reason, detail=detail, work=work))
            return
        post(WorkerStarted(turn=turn, started=started))
        post(_finish(context, turn, before))

    return job


def adopt(
    context: Context, turn: Turn, removing: frozenset[str] = frozenset()
) -> Callable[[Post], None]:
    """Return the job that continues a step which another orchestrator began.

    ``removing`` are the executions whose rooms this run clears away meanwhile.
    """

    def job(post: Post) -> None:
        before = outside.remembered(context, turn.observed)
        post(_finish(context, turn, before, removing))

    return job


def _must_be_kept_in(context: Context, turn: Turn) -> None:
    """Refuse a later step at another level than what was recorded for its execution."""
    recorded, level = turn.execution.isolation, isolation_of(context).level
    if recorded and recorded != level:
        raise Unstartable(
            "isolation_changed",
            f"{turn.execution.task} was begun at level {recorded}, this run has {level}",
            f"`git cto retry {turn.execution.task}` begins it anew",
        )


def _make_room(context: Context, turn: Turn) -> None:
    """Make the room of a step; it is there already when an earlier step has worked in it."""
    seated, layout = turn.seated, context.layout
    if not turn.is_first_here:
        return
    if turn.step.number > 1 and layout.place(seated.id).exists():
        clear_room(context, seated)  # a run that was killed had begun to make it
    pin = layout.execution_ref(seated.id if turn.step.edits else turn.execution.id)
    context.refs.compare_and_swap(pin, None, turn.execution.base)
    context.effects.crash_point("attempt.pinned")
    make_room(context, turn.task, seated)


def _set_up(context: Context, turn: Turn) -> None:
    """Run policy's set-up command in a fresh room: what it does outside counts as the worker's."""
    if turn.is_first_here:
        commands_in(context, turn).set_up()
        context.effects.crash_point("attempt.room")


def _prepare(context: Context, turn: Turn, briefing: Briefing) -> Inmate:
    layout, seated = context.layout, turn.seated
    scratch, room = layout.scratch(seated.id), layout.room(seated.id)
    launch = _launch(context, turn, briefing)
    needs = needs_of(context, seated)
    return Inmate(
        argv=launch.argv,
        env={**_environment(context, turn), **launch.env},
        cwd=room,
        writes=(room, scratch) if turn.step.edits else (scratch,),
        reads=(*needs.reads, *launch.reads, *(() if turn.step.edits else (room,))),
        fixed=needs.fixed,
        interrupt=(scratch, launch.interrupt) if launch.interrupt else None,
    )


def _spawn(context: Context, turn: Turn, inmate: Inmate) -> Started:
    layout = context.layout
    private = layout.private(turn.seated.id)
    if not turn.is_first_here:
        private /= str(turn.step.number)
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    program = confine(context, inmate, private)
    layout.executions.mkdir(parents=True, exist_ok=True)
    heartbeat = workers.Heartbeat(
        sidecar=sidecar_path(context.repository),
        team=layout.team,
        execution=turn.execution.id,
    )
    records = layout.records(turn.run)
    return workers.spawn(records, program, limits_of(context.policy), heartbeat)


def _launch(context: Context, turn: Turn, briefing: Briefing) -> Launch:
    seated = turn.seated
    registered, settings = provider_of(context, seated)
    scratch = context.layout.scratch(seated.id)
    make_home(scratch)
    make_mailbox(scratch, briefing.letters)
    prompt = scratch / "prompt.md"
    prompt.write_bytes(briefing.prompt)
    request = LaunchRequest(
        task=turn.task.spec,
        execution=turn.execution.id,
        attempt=turn.execution.attempt,
        workspace=context.layout.room(seated.id),
        scratch=scratch,
        prompt_file=prompt,
        settings=settings.settings,
        host_env=context.environ,
        notes=briefing.notes,
        session=turn.session,
        edits=turn.step.edits,
        answer_schema=lay_out(context, turn),
        level=isolation_of(context).level,
    )
    answer: Launch | Crashed | TimedOut = ask(
        context.plugins, registered, "launch", request, deadline_s=ASK_DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        raise answer.error()
    return answer


def _environment(context: Context, turn: Turn) -> dict[str, str]:
    layout, count = context.layout, context.policy.rooms.ports
    execution, place = turn.execution, turn.seated.id
    scratch = layout.scratch(place)
    return {
        **context.worker_env,
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        MAIL_VARIABLE: str(path_in(scratch)),
        "CTO_TASK": execution.task,
        "CTO_EXECUTION": execution.id,
        "CTO_ATTEMPT": str(execution.attempt),
        **reserve(layout.ports, layout.place(place), count).environment(),
    }


def commands_in(context: Context, turn: Turn) -> RoomCommands:
    """Return policy's commands for the room of a step."""
    return RoomCommands(
        context=context,
        execution=turn.seated,
        env=_environment(context, turn),
        limits=limits_of(context.policy),
    )


def _finish(
    context: Context,
    turn: Turn,
    before: Fingerprint | None,
    removing: frozenset[str] = frozenset(),
) -> WorkerFinished:
    exit_ = workers.wait(context.layout.records(turn.run))
    report = collect(context, turn, exit_)
    if turn.step.edits:
        report = commands_in(context, turn).finish(exit_, report)
    changed = outside.compare(context, turn.observed, before, removing)
    finished = WorkerFinished(turn=turn, exit=exit_, report=report, work=None, outside=changed)
    if not turn.step.edits:
        return replace(finished, work=NO_WORK, altered=altered_by(context, turn))
    try:
        return replace(finished, work=take_up(context, turn.task, turn.seated))
    except HarvestRefused as refused:
        return replace(finished, refusal=refused.reason, refusal_detail=refused.message)
