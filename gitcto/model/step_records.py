"""The steps of an execution: each is one run of one agent, under one supervisor. Pure records."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from gitcto.model.agent_records import Fault, Usage

MAIN_SEAT = "main"
"""The seat whose room is the execution's own."""

SINGLE_WORKER = "single_worker"
"""The strategy of a role that names none: one step that writes."""

MAX_FINDINGS = 8000
"""Most characters of what a step says at its end."""

Asks = Literal["work", "verdict", "choice", "plan"]
"""What a step is to bring: changed files, a judgement of a change, one of several, or a plan."""

StepVerdict = Literal["", "approve", "reject", "none"]
"""What a step that reads said of the change it read; ``none`` is an answer that is no verdict."""


class StepState(StrEnum):
    """Where a step stands."""

    RUNNING = "running"
    ENDED = "ended"


class Step(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One run of one agent for an execution.

    ``number`` counts from 1 within the execution; ``name`` is the strategy's own for it. Steps of
    one ``seat`` follow each other: those that edit in one room, each that reads in a fresh one.
    ``reads`` are the commits that a step reads, by the seat that made them; ``told`` numbers the
    steps whose findings it is told, ``session_of`` the one whose session it goes on with. With
    ``replaces`` it goes on with that step's work after a letter: what was said of that work does
    not hold any more. ``why`` is why it was started, ``backend`` the hash of the program that was
    decided on (empty where its provider tells none).

    Once it has ended, ``fault`` says why it is no success. A step that edits left ``commit``, with
    ``tree`` and ``changed`` paths; ``change`` is its id where others judge it. ``findings`` are the
    last words of one that reads, and of one that edits where another is told them. One that reads
    may have a ``verdict`` about ``change``, the change that it read, and ``chosen`` is the seat
    whose change that was.
    """

    number: int
    name: str
    role: str
    provider: str
    seat: str = MAIN_SEAT
    edits: bool = True
    asks: Asks = "work"
    reads: dict[str, str] = {}
    told: tuple[int, ...] = ()
    session_of: int = 0
    replaces: int = 0
    why: str = ""
    backend: str = ""
    state: StepState = StepState.RUNNING
    fault: Fault | None = None
    verdict: StepVerdict = ""
    findings: str = ""
    change: str = ""
    chosen: str = ""
    commit: str = ""
    tree: str = ""
    changed: int = 0
    session: str = ""
    usage: Usage = Usage()
    started_ms: int = 0
    ended_ms: int = 0

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.state is StepState.RUNNING
