"""Asking an agent for a plan: one step that only reads, run as every other step is."""

from __future__ import annotations

from dataclasses import dataclass

from gitcto.errors import CtoError, ExitCode
from gitcto.model.agent_records import Fault, Usage
from gitcto.model.draft_rules import DRAFTER
from gitcto.model.records import Decision, Execution, Task, TaskSpec, TaskState
from gitcto.model.step_records import Step
from gitcto.runtime.agents import attempt
from gitcto.runtime.core.book import Book, Listener
from gitcto.runtime.core.briefing import Briefing
from gitcto.runtime.core.messages import NotStarted, WorkerFinished
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.host.context import Context
from gitcto.runtime.loop.selecting import Wanted, selection
from gitcto.runtime.team.real_world import real_world
from gitcto.runtime.worker import workers
from gitcto.runtime.workspace import settle

STRATEGY = "plan_draft"
"""What decisions about a draft's provider call its strategy."""

_TITLE = "Draft a plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of asking an agent: its last ``message``, or the ``fault`` that kept it from one.

    ``decision`` is why it was asked; ``warnings`` are for a person; ``outside`` is what was
    different outside its room by its end.
    """

    message: str
    decision: Decision
    usage: Usage
    fault: Fault | None
    wall_ms: int
    warnings: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``prompt`` for ``provider``, about commit ``base``; ``id`` names its room and its run."""

    id: str
    provider: str
    base: str
    prompt: str


def ask_agent(context: Context, question: Question, listener: Listener) -> Told:
    """Run the provider once in a fresh checkout, and return what it said.

    When a person interrupts it, its processes are ended first. Raises ``CtoError`` when it may not
    be asked or cannot be started; nothing was used then.
    """
    turn = _turn(context, question)
    decision = _must_be_eligible(context, turn, question, listener)
    began = context.effects.now_ms()
    try:
        ended = _run(context, turn, Briefing(prompt=question.prompt.encode()))
    finally:
        problem = settle.remove(context, turn.execution)
        settle.unpin(context, turn.execution)
    altered = (f"it changed what it was to read: {ended.altered}",) if ended.altered else ()
    kept = (f"its room was kept: {problem}",) if problem else ()
    return Told(
        message=ended.report.message,
        decision=decision,
        usage=ended.report.usage,
        fault=ended.report.fault,
        wall_ms=max(0, context.effects.now_ms() - began),
        warnings=(*altered, *kept),
        outside=ended.outside.changes,
    )


def _must_be_eligible(
    context: Context, turn: Turn, question: Question, listener: Listener
) -> Decision:
    """Return why the provider may be asked; raise ``CtoError`` when it may not."""
    chosen = selection(
        Book(real_world(context), listener),
        Wanted(
            task=turn.task.spec,
            execution=question.id,
            epoch=0,
            strategy=STRATEGY,
            step=turn.step.name,
            part=DRAFTER,
            edits=False,
            asked=(question.provider,),
        ),
        question.base,
    )
    if chosen.provider != question.provider:
        why = chosen.denied.get(question.provider) or chosen.decision.reason
        raise CtoError(
            f"provider {question.provider!r} may not draft a plan: {why}",
            "name another one with `--provider`, or see `git cto provider show`",
            ExitCode.REFUSED,
        )
    return chosen.decision


def _run(context: Context, turn: Turn, briefing: Briefing) -> WorkerFinished:
    posted: list[object] = []
    try:
        attempt.begin(context, turn, briefing)(posted.append)
    except KeyboardInterrupt:
        workers.end(context.layout.records(turn.run))
        attempt.adopt(context, turn)(posted.append)
    last = posted[-1]
    if isinstance(last, NotStarted):
        raise CtoError(
            f"provider {turn.step.provider!r} was not started: {last.detail}",
            "correct that, then ask again; nothing was recorded",
        )
    if not isinstance(last, WorkerFinished):
        raise TypeError(type(last).__name__)
    return last


def _turn(context: Context, question: Question) -> Turn:
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
        provider=question.provider,
        seat="plan",
        edits=False,
        asks="plan",
        why="first",
    )
    execution = Execution(
        id=question.id,
        task="plan",
        epoch=0,
        attempt=1,
        state=TaskState.EXECUTING,
        holder="",
        base=question.base,
        provider=question.provider,
        role=role,
        leased_ms=0,
        expires_ms=0,
        workspace=context.policy.rooms.plugin,
        strategy=STRATEGY,
        steps=(step,),
    )
    task = Task(spec=TaskSpec(id="plan", title=_TITLE, role=role), order=0)
    return Turn(task=task, execution=execution, step=step)
