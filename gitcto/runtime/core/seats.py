"""The names of an execution's rooms and runs, and what is different about them in each step.

An execution's own room, scratch, ref and first run have its id for a name. Those of another seat
are ``ID.SEAT``, of a step that only reads ``ID.NUMBER``, and so is the run of each later step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitcto.model.agent_records import Usage
from gitcto.model.amending import amended
from gitcto.model.records import Execution, Task
from gitcto.model.step_records import MAIN_SEAT, Step
from gitcto.model.step_rules import running


def run_of(execution: str, step: Step) -> str:
    """Return the name of a step's run."""
    return execution if step.number == 1 else f"{execution}.{step.number}"


def place_of(execution: str, step: Step) -> str:
    """Return the name of a step's room."""
    if not step.edits:
        return f"{execution}.{step.number}"
    return execution if step.seat == MAIN_SEAT else f"{execution}.{step.seat}"


def runs(execution: Execution) -> tuple[str, ...]:
    """Return the names of the runs that are under way or about to be, else of the last one."""
    steps = running(execution) or execution.steps[-1:]
    return tuple(run_of(execution.id, step) for step in steps) or (execution.id,)


def under_way(execution: Execution) -> tuple[tuple[str, str], ...]:
    """Return the names of run and room of each step that is under way."""
    steps = running(execution) or execution.steps[-1:] or (unrecorded(execution),)
    return tuple((run_of(execution.id, step), place_of(execution.id, step)) for step in steps)


def all_runs(execution: Execution) -> tuple[str, ...]:
    """Return the names of all runs that there were, or were to be."""
    later = (run_of(execution.id, step) for step in execution.steps[1:])
    return (execution.id, *later)


def unrecorded(execution: Execution) -> Step:
    """Return the one step of an execution whose ledger knows of no steps."""
    return Step(number=1, name="write", role=execution.role, provider=execution.provider)


def last_in(execution: Execution, seat: str, before: int = 0) -> Step | None:
    """Return the last step that edits in a seat, of all or of those ``before`` one."""
    steps = execution.steps[: before - 1] if before else execution.steps
    return next((step for step in reversed(steps) if step.edits and step.seat == seat), None)


def seats_of(execution: Execution) -> tuple[str, ...]:
    """Return the seats in which something was edited, in the order in which they were taken."""
    return tuple(dict.fromkeys(step.seat for step in execution.steps if step.edits))


def seat_of(execution: Execution) -> str:
    """Return the seat whose work an execution goes on with: its own before that is decided."""
    found = (step.seat for step in execution.steps if step.commit and step.commit == execution.work)
    return next(found, MAIN_SEAT)


def seat_named(room: Execution) -> str:
    """Return the seat of an execution as a room knows it; nothing where one only reads."""
    _, _, name = room.id.partition(".")
    return "" if name.isdigit() else name or MAIN_SEAT


def seated(execution: Execution, step: Step | None) -> Execution:
    """Return an execution as one step's room knows it: by its name, its base and its provider."""
    if step is None:
        return execution
    read = tuple(step.reads.values())
    return amended(
        execution,
        id=place_of(execution.id, step),
        base=read[0] if len(read) == 1 and not step.edits else execution.base,
        provider=step.provider,
        role=step.role,
    )


def seated_at(execution: Execution, place: str) -> Execution:
    """Return an execution as the room with this name knows it."""
    steps = (step for step in reversed(execution.steps) if place_of(execution.id, step) == place)
    step = next(steps, None)
    return amended(execution, id=place) if step is None else seated(execution, step)


def effective(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps that count: one that went on for a letter stands for what it replaces.

    What was said of the replaced work, and came of that, does not hold any more.
    """
    found: list[Step] = []
    for step in steps:
        if step.replaces:
            found = [each for each in found if each.number < step.replaces]
        found.append(step)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One step of an execution, with its task."""

    task: Task
    execution: Execution
    step: Step

    @property
    def run(self) -> str:
        """The name of its run."""
        return run_of(self.execution.id, self.step)

    @property
    def seated(self) -> Execution:
        """The execution as the step's room knows it."""
        return seated(self.execution, self.step)

    @property
    def observed(self) -> Execution:
        """The execution under the name of the run, by which looks at what is outside go."""
        return amended(self.execution, id=self.run)

    @property
    def is_first_here(self) -> bool:
        """Whether no earlier step has used its room."""
        return not any(self._earlier_here())

    @property
    def session(self) -> str:
        """The session that it goes on with, if any."""
        number = self.step.session_of
        return self.execution.steps[number - 1].session if number else ""

    @property
    def used_before(self) -> Usage:
        """What its session had used when it began."""
        used = Usage()
        for step in self._earlier_here():
            used += step.usage if self.session and step.session == self.session else Usage()
        return used

    def _earlier_here(self) -> Iterator[Step]:
        place = place_of(self.execution.id, self.step)
        for step in self.execution.steps[: self.step.number - 1]:
            if place_of(self.execution.id, step) == place:
                yield step
