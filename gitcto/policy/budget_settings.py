"""What agents may use in all, and how often they may fail, as a policy says it."""

from __future__ import annotations

from dataclasses import dataclass

UNITS = ("tokens", "usd", "wall_s")
"""What is limited: tokens of all kinds, money, and the time that agents run, added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits; 0 is none. ``usd`` is in millionths of a dollar, ``wall_s`` in seconds."""

    tokens: int = 0
    usd: int = 0
    wall_s: int = 0

    def of(self, unit: str) -> int:
        """Return the limit in a unit."""
        return {"tokens": self.tokens, "usd": self.usd, "wall_s": self.wall_s}[unit]

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.counted or bool(self.wall_s)

    @property
    def counted(self) -> bool:
        """Whether there is a limit that only what a provider reports can be held to."""
        return bool(self.tokens or self.usd)


_NONE = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Limits of one execution, of all of a task, and of a team in all and in one ``day`` of UTC.

    ``unknown_usage`` says what a limit means for a provider that does not report the unit:
    ``tell`` says so, ``refuse`` uses no such provider.
    """

    execution: Budget = _NONE
    task: Budget = _NONE
    team: Budget = _NONE
    day: Budget = _NONE
    unknown_usage: str = "tell"

    def of(self, scope: str) -> Budget:
        """Return the limits of ``execution``, ``task``, ``team`` or ``day``."""
        found: Budget = getattr(self, scope)
        return found

    @property
    def scopes(self) -> dict[str, Budget]:
        """All of them by name, the narrowest first."""
        return {name: self.of(name) for name in ("execution", "task", "team", "day")}

    @property
    def units(self) -> tuple[str, ...]:
        """The units in which anything is limited."""
        return tuple(u for u in UNITS if any(each.of(u) for each in self.scopes.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often a task may fail by its own fault, and how often by conflicts on landing.

    ``adopt_late`` is whether work that came after its lease is judged when nothing newer exists.
    After a provider's fault that passes, a task waits ``backoff_s`` seconds at most, twice as long
    after each further one, up to ``backoff_max_s``; a task has ``faults_per_task`` of them before a
    person must look, a run ``faults_per_run`` before it starts nothing more.
    """

    max_attempts: int
    conflict: int
    adopt_late: bool
    backoff_s: int
    backoff_max_s: int
    faults_per_task: int
    faults_per_run: int


def shown_amount(unit: str, amount: int) -> str:
    """Return an amount of a unit for a person."""
    if unit == "usd":
        return f"${amount / 1_000_000:.2f}"
    return f"{amount} {'tokens' if unit == 'tokens' else 's'}"
