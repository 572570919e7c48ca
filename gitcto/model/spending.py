"""What agents have used, added up: by provider, by role, by task, by day. Pure.

It is the sum over all steps that have ended. A step whose execution was ended over its head told
nobody what it used: it is counted as a run that told nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from gitcto.model.agent_records import Usage

_NOTHING = Usage()

DAY_MS = 24 * 3600 * 1000


class Spent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a number of runs of agents used; ``wall_ms`` is their time, added up.

    ``uncounted`` is how many of them told of no tokens, ``unpriced`` how many named no cost.
    """

    runs: int = 0
    usage: Usage = Usage()
    wall_ms: int = 0
    uncounted: int = 0
    unpriced: int = 0

    def __add__(self, other: Spent) -> Spent:
        """Return both together."""
        return Spent(
            runs=self.runs + other.runs,
            usage=self.usage + other.usage,
            wall_ms=self.wall_ms + other.wall_ms,
            uncounted=self.uncounted + other.uncounted,
            unpriced=self.unpriced + other.unpriced,
        )


class Day(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was used in one day of UTC, the ``number``-th since 1970."""

    number: int = 0
    spent: Spent = Spent()

    def at(self, ts: int) -> Spent:
        """Return what was used in the day of a time."""
        return self.spent if self.number == ts // DAY_MS else Spent()


class Totals(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a team has used, by the provider and by the role of each run, and on its last day."""

    providers: dict[str, Spent] = {}
    roles: dict[str, Spent] = {}
    day: Day = Day()

    @property
    def all(self) -> Spent:
        """All of it."""
        return total(self.providers.values())


def of_run(usage: Usage, started_ms: int, ended_ms: int) -> Spent:
    """Return what one run used."""
    return Spent(
        runs=1,
        usage=usage,
        wall_ms=max(0, ended_ms - started_ms),
        uncounted=int(usage.tokens == 0),
        unpriced=int(usage.cost_micros is None),
    )


def total(parts: Iterable[Spent]) -> Spent:
    """Return all of them together."""
    found = Spent()
    for part in parts:
        found += part
    return found


def counted(totals: Totals, provider: str, role: str, spent: Spent, ts: int) -> Totals:
    """Return a team's totals with one more run, which ended at ``ts``."""
    return replace(
        totals,
        providers=_with(totals.providers, provider, spent),
        roles=_with(totals.roles, role, spent),
        day=Day(number=ts // DAY_MS, spent=totals.day.at(ts) + spent),
    )


def _with(parts: Mapping[str, Spent], name: str, spent: Spent) -> dict[str, Spent]:
    return {**parts, name: parts.get(name, Spent()) + spent}
