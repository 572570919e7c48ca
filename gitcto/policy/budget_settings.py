"""What agents may use in all, as a policy says it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

UNITS = ("tokens", "usd", "wall_s")
"""What is limited: tokens of all kinds, money, and the time that agents run, added up."""

SCOPES = ("execution", "task", "team", "day")
"""Of what it is limited, the narrowest first."""


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
        return bool(self.tokens or self.usd or self.wall_s)


_NONE = Budget()


class Limit(NamedTuple):
    """One limit: ``most`` of a ``unit`` in a ``scope``."""

    scope: str
    unit: str
    most: int


@dataclass(frozen=True, kw_only=True)
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

    @cached_property
    def limits(self) -> tuple[Limit, ...]:
        """All there are, the narrowest first."""
        all_there_could_be = (Limit(s, u, self.of(s).of(u)) for s in SCOPES for u in UNITS)
        return tuple(each for each in all_there_could_be if each.most)

    @property
    def units(self) -> tuple[str, ...]:
        """The units in which anything is limited."""
        return tuple(unit for unit in UNITS if any(each.unit == unit for each in self.limits))

    @cached_property
    def counted(self) -> bool:
        """Whether there is a limit that only what a provider reports can be held to."""
        return any(each.unit != "wall_s" for each in self.limits)


def shown_amount(unit: str, amount: int) -> str:
    """Return an amount of a unit for a person."""
    if unit == "usd":
        return f"${amount / 1_000_000:.2f}"
    return f"{amount} {'tokens' if unit == 'tokens' else 's'}"
