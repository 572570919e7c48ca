"""Asking an agent for a plan: one step that only reads, run as every other step is.

The intent is in the ledger before the agent starts. Whoever waits for it holds a lock among its
records; whoever comes after one that was killed finds both, and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from gitcto.errors import CtoError, ExitCode
from gitcto.git.lock import exclusive, is_held
from gitcto.model.agent_records import Fault, Usage
from gitcto.model.draft_records import Asked
from gitcto.model.draft_rules import DRAFTER
from gitcto.model.records import Decision, Execution, Task, TaskSpec, TaskState
from gitcto.model.step_records import Step
from gitcto.runtime.agents import attempt
from gitcto.runtime.core import failures
from gitcto.runtime.core.book import Book, Listener
from gitcto.runtime.core.briefing import Briefing
from gitcto.runtime.core.jobs import Job, Jobs
from gitcto.runtime.core.messages import NotStarted, WorkerFinished
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.loop.selecting import Wanted, selection
from gitcto.runtime.team.real_world import real_world
from gitcto.runtime.worker import workers
from gitcto.runtime.workspace import settle

STRATEGY = "plan_draft"
"""What decisions about a draft's provider call its strategy."""

LOCK = "asked"
"""The file among the records of a draft's run that whoever waits for its agent holds."""

LOOK_S = 0.2
"""How often somebody is asked whether a person wants the end (seconds)."""

_TITLE = "Draft a plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of asking an agent: its last ``message``, or the ``fault`` that kept it from one.

    ``warnings`` are for a person; ``outside`` is what was different outside its room by its end.
    """

    message: str
    usage: Usage
    fault: Fault | None
    wall_ms: int
    warnings: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


def must_be_eligible(context: Context, asked: Asked, listener: Listener) -> Decision:
    """Return why the provider may be asked; raise ``CtoError`` when it may not."""
    turn = turn_of(context, asked)
    chosen = selection(
        Book(real_world(context), listener),
        Wanted(
            task=turn.task.spec,
            execution=asked.id,
            epoch=0,
            strategy=STRATEGY,
            step=turn.step.name,
            part=DRAFTER,
            edits=False,
            asked=(asked.provider,),
        ),
        asked.base,
    )
    if chosen.provider != asked.provider:
        why = chosen.denied.get(asked.provider) or chosen.decision.reason
        raise CtoError(
            f"provider {asked.provider!r} may not draft a plan: {why}",
            "name another one with `--provider`, or see `git cto provider show`",
            ExitCode.REFUSED,
        )
    return chosen.decision


def waited_for(layout: Layout, draft: str) -> AbstractContextManager[None]:
    """Hold a draft's run as who waits for its agent. Raises ``LockBusy`` where somebody does."""
    return exclusive(layout.records(draft) / LOCK, wait_s=0)


def is_waited_for(layout: Layout, draft: str) -> bool:
    """Tell whether somebody waits for a draft's agent now."""
    return is_held(layout.records(draft) / LOCK)


def begin(context: Context, asked: Asked, prompt: str) -> Job:
    """Return the job that runs the agent in a fresh checkout."""
    return attempt.begin(context, turn_of(context, asked), Briefing(prompt=prompt.encode()))


def go_on(context: Context, asked: Asked) -> Job:
    """Return the job that waits for an agent which somebody else began."""
    return attempt.adopt(context, turn_of(context, asked))


def told_by(context: Context, draft: str, job: Job, interrupted: Callable[[], bool]) -> Told:
    """Run a job to its end, and return what the agent said.

    An agent that a person interrupts is asked to end, also before it has started: the job sees to
    the rest. Raises ``CtoError`` when it could not be started; nothing was used then.
    """
    jobs, records, stopping = Jobs(), context.layout.records(draft), False
    jobs.start(f"draft {draft}", job)
    while True:
        message = jobs.next(LOOK_S)
        if isinstance(message, NotStarted):
            raise CtoError(
                f"provider {message.turn.step.provider!r} was not started: {message.detail}",
                "correct that, then ask again; nothing was used",
            )
        if isinstance(message, WorkerFinished):
            return _told(message)
        if interrupted() and not stopping:
            workers.request_stop(records)
            stopping = True


def clear(context: Context, asked: Asked) -> str:
    """Remove the room and the records of a draft's run; return the problem or nothing."""
    execution = turn_of(context, asked).execution
    problem = settle.remove(context, execution)
    settle.unpin(context, execution)
    return problem


def _told(ended: WorkerFinished) -> Told:
    altered = (f"it changed what it was to read: {ended.altered}",) if ended.altered else ()
    failure = failures.of_worker(replace(ended, altered=""))
    return Told(
        message=ended.report.message,
        usage=ended.report.usage,
        fault=failure.fault if failure else None,
        wall_ms=int(ended.exit.wall_s * 1000),
        warnings=altered,
        outside=ended.outside.changes,
    )


def turn_of(context: Context, asked: Asked) -> Turn:
    """Return the one step of an execution that no ledger knows: what it says is all it leaves."""
    role = next(iter(context.policy.roles), "")
    if not role:
        raise CtoError(
            "policy has no role, so nobody could do the tasks of a plan",
            "add a section [roles.NAME] to policy.toml",
            ExitCode.POLICY,
        )
    step = Step(
        number=1,
        name="plan",
        role=DRAFTER,
        provider=asked.provider,
        seat="plan",
        edits=False,
        asks="plan",
        why="first",
    )
    execution = Execution(
        id=asked.id,
        task="plan",
        epoch=0,
        attempt=1,
        state=TaskState.EXECUTING,
        holder="",
        base=asked.base,
        provider=asked.provider,
        role=role,
        leased_ms=0,
        expires_ms=0,
        workspace=context.policy.rooms.plugin,
        strategy=STRATEGY,
        steps=(step,),
    )
    task = Task(spec=TaskSpec(id="plan", title=_TITLE, role=role), order=0)
    return Turn(task=task, execution=execution, step=step)
