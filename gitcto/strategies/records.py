"""What a strategy says, and what its engine answers: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal, get_args

from gitcto.model.step_records import MAIN_SEAT, Asks

StepKind = Literal["plan", "write", "review", "adjudicate"]
"""What a step is for: ``plan`` thinks ahead, ``write`` changes files, ``review`` judges one patch,
``adjudicate`` chooses between patches or rejects them all. Only a writer may change files."""

Action = Literal["retry", "other provider", "degrade", "stop"]
"""What is done about a failed step: the same again, the same by another provider, go on without
it, or give up."""

Combine = Literal["all", "any", "majority"]
"""How many reviews of one patch must approve it, of those that are asked at the same time."""

What = Literal["task", "patch", "findings", "notes"]
"""What a step may be given to read: the task, a seat's patch, what a review found, and the last
words of another step."""

WHATS: tuple[What, ...] = get_args(What)
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)
ACTIONS: tuple[Action, ...] = get_args(Action)
COMBINES: tuple[Combine, ...] = get_args(Combine)
SEATS = (MAIN_SEAT, "second")
"""Where writers work: the attempt's own room, and one more beside it."""

ASKS: Mapping[StepKind, Asks] = {
    "plan": "work",
    "write": "work",
    "review": "verdict",
    "adjudicate": "choice",
}
"""What each kind of step is asked for."""

JUDGES = ("review", "adjudicate")
"""The kinds of step that end with a verdict."""

DEFAULT = "default"
"""The key of ``failures`` for every class of fault that has no list of its own."""

NO_VERDICT = "no_verdict"
"""The key of ``failures`` for a judge whose answer was no verdict on what it read."""


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Something to read, as a strategy says it: ``of`` is a seat for a patch, else a step."""

    what: What
    of: str = ""

    def __str__(self) -> str:
        """Return it as it is written: ``task``, ``patch:main``, ``findings:review``."""
        return f"{self.what}:{self.of}" if self.of else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyStep:
    """One step; those of one ``group`` run at the same time.

    ``seat`` is where a writer works (empty for the others, who only read); ``failures`` is what is
    done about the first, second, … failure of each class, after which there is no more to do but
    to give up.
    """

    name: str
    role: str
    kind: StepKind
    seat: str
    group: str
    reads: tuple[Source, ...]
    failures: Mapping[str, tuple[Action, ...]]

    @property
    def judges(self) -> bool:
        """Whether it ends with a verdict."""
        return self.kind in JUDGES

    @property
    def judged(self) -> tuple[str, ...]:
        """The seats whose patches it reads."""
        return tuple(source.of for source in self.reads if source.what == "patch")

    @property
    def most(self) -> int:
        """How often it is started in one round, at most."""
        again = ("retry", "other provider")
        return 1 + sum(action in again for each in self.failures.values() for action in each)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRole:
    """Who fills a step: the ``providers`` to choose from, in order, and what it is told.

    Without any, the providers of the task's own role fill it.
    """

    providers: tuple[str, ...] = ()
    prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """Steps in order; ``rounds`` is how often the patch may be written until it is approved.

    ``file`` is the SHA-256 of the file that says all this: its own, or the policy that defines it.
    """

    name: str
    summary: str
    roles: Mapping[str, StrategyRole]
    steps: tuple[StrategyStep, ...]
    combine: Combine = "all"
    rounds: int = 1
    file: str = ""

    @cached_property
    def stages(self) -> tuple[tuple[StrategyStep, ...], ...]:
        """The steps, those together that run at the same time."""
        keyed = groupby(self.steps, key=lambda step: step.group or f"\0{step.name}")
        return tuple(tuple(steps) for _, steps in keyed)

    @cached_property
    def again(self) -> int:
        """The stage that a next round begins with: the first one that writes."""
        return next(n for n, stage in enumerate(self.stages) if stage[0].kind == "write")

    @cached_property
    def filled(self) -> Mapping[str, StrategyRole]:
        """Every role of its steps, also those that it says nothing of."""
        return {step.role: self.roles.get(step.role, StrategyRole()) for step in self.steps}

    @property
    def seats(self) -> tuple[str, ...]:
        """Where its writers work."""
        return tuple(seat for seat in SEATS if any(step.seat == seat for step in self.steps))

    @property
    def most_steps(self) -> int:
        """How many steps it ever starts, at most."""
        first = sum(step.most for stage in self.stages[: self.again] for step in stage)
        each = sum(step.most for stage in self.stages[self.again :] for step in stage)
        return first + self.rounds * each

    def takes_notes_of(self, step: str) -> bool:
        """Tell whether the last words of a step are given to another one."""
        return any(Source("notes", step) in each.reads for each in self.steps)

    def step(self, name: str) -> StrategyStep:
        """Return a step by name; raises ``KeyError``."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Something that is there to be read: the patch in ``seat``, or what step ``number`` said."""

    what: What
    seat: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A step to start.

    ``seat`` is ``main``, ``second`` or, for one that only reads, a seat of its own (the step's
    name). ``reads`` are the seats whose patches it reads, ``given`` all that it is told.
    ``session_of`` is the step whose session it goes on in (empty: a new one); ``avoid`` names the
    providers that have failed at it; ``asks`` is the form of its answer.
    """

    step: str
    role: str
    seat: str
    why: str
    edits: bool = True
    reads: tuple[str, ...] = ()
    given: tuple[Reading, ...] = ()
    asks: Asks = "work"
    session_of: str = ""
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Start these steps now; none means: wait for those that run."""

    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The patch in ``seat`` is the attempt's work; ``path`` tells how it came to that."""

    seat: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The attempt has failed; ``step`` is the number of the step that ended it, 0 when none did.

    ``reason`` is ``step_failed``, ``no_verdict``, ``rejected``, ``unapproved``, ``no_work`` or
    ``strategy_changed``; with ``retryable`` another attempt may do better.
    """

    reason: str
    detail: str
    path: str
    retryable: bool = True
    step: int = 0


Move = Start | Finish | GiveUp
