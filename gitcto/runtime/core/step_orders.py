"""What an order of a strategy comes to for an execution: the step that is recorded. Pure."""

from __future__ import annotations

from gitcto.model.records import Decision, Execution
from gitcto.model.step_commands import StartStep
from gitcto.model.step_records import Step
from gitcto.runtime.core.seats import effective, last_in
from gitcto.strategies.advance import advance
from gitcto.strategies.records import Move, Order, Strategy

MAIL = "mail"
"""Why a step was started that goes on for a letter: no strategy orders it."""


def move_of(strategy: Strategy, x: Execution) -> Move:
    """Return what a strategy does about an execution as it stands."""
    return advance(strategy, effective(x.steps))


def ordered(
    x: Execution, order: Order, provider: str, decision: Decision | None, max_workers: int
) -> StartStep:
    """Return the command that starts the step of an order, carried out by ``provider``."""
    told = [each.number for each in order.given if each.what in {"findings", "notes"}]
    goes_on = (each for each in reversed(x.steps) if each.name == order.session_of)
    session = next((each for each in goes_on if each.session), None)
    goes_on_there = session is not None and session.provider == provider
    made = {seat: last_in(x, seat) for seat in order.reads}
    return StartStep(
        execution=x.id,
        epoch=x.epoch,
        number=len(x.steps) + 1,
        name=order.step,
        role=order.role,
        provider=provider,
        max_workers=max_workers,
        seat=order.seat,
        edits=order.edits,
        asks=order.asks,
        reads={seat: step.commit for seat, step in made.items() if step is not None},
        told=tuple(told),
        session_of=session.number if session is not None and goes_on_there else 0,
        why=order.why,
        decision=decision,
    )


def going_on(x: Execution, writer: Step, max_workers: int) -> StartStep:
    """Return the command that lets a writer which has ended go on, with the letters since."""
    return StartStep(
        execution=x.id,
        epoch=x.epoch,
        number=len(x.steps) + 1,
        name=writer.name,
        role=writer.role,
        provider=writer.provider,
        max_workers=max_workers,
        seat=writer.seat,
        session_of=writer.number if writer.session else 0,
        replaces=writer.number,
        why=MAIL,
    )
