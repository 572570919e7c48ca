"""The prompts of steps, from what is recorded and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from gitcto.model.step_records import SINGLE_WORKER, Step
from gitcto.runtime.core.prompt import task_entry
from gitcto.runtime.core.seats import Turn
from gitcto.strategies.prompts import Given, prompt, role_words, section
from gitcto.strategies.records import Order, Reading, Strategy


def reader_prompt(
    strategy: Strategy, turn: Turn, changes: Mapping[str, str], patches: Mapping[str, str]
) -> bytes:
    """Return the whole prompt of a step that only reads.

    ``changes`` are the ids of what it reads and ``patches`` the texts, by seat.
    """
    step = turn.step
    task = Given(reading=Reading(what="task"), text=task_entry(turn.task.spec).text)
    read = [
        Given(reading=Reading(what="patch", seat=seat), text=patches.get(seat, ""), change=change)
        for seat, change in changes.items()
    ]
    order = Order(
        step=step.name,
        role=step.role,
        seat=step.seat,
        edits=False,
        reads=tuple(changes),
        given=(),
        asks=step.asks,
        why=step.why,
    )
    return prompt(strategy, order, (task, *read, *_told(turn))).encode("utf-8", "replace")


def writer_prompt(strategy: Strategy, turn: Turn, begun: bytes) -> bytes:
    """Return the prompt of a step that edits: ``begun`` is what its task's worker is told."""
    words = "" if strategy.name == SINGLE_WORKER else role_words(strategy, turn.step.name)
    parts = [words.encode(), begun.strip(b"\n")] if words else [begun.strip(b"\n")]
    parts += [section(each).strip("\n").encode("utf-8", "replace") for each in _told(turn)]
    return b"\n\n".join(parts) + b"\n"


def _told(turn: Turn) -> tuple[Given, ...]:
    found = (turn.execution.steps[number - 1] for number in turn.step.told)
    return tuple(
        Given(
            reading=Reading(what="notes" if step.asks == "work" else "findings"),
            text=_quoted(step),
            name=step.name,
        )
        for step in found
    )


def _quoted(step: Step) -> str:
    """Return findings as a quotation: nothing in them begins a section."""
    return "\n".join(f"> {line}".rstrip() for line in step.findings.splitlines())
