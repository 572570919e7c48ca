"""Plans that an agent drafted and that wait for a person's word. Pure records."""

from __future__ import annotations

from msgspec import Struct

MAX_DRAFTS = 20
"""Most drafts of a team that wait at the same time, for an agent or a person."""

MAX_OBJECTIVE = 4_000
"""Longest objective, in characters."""


class Asked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A plan that an agent is asked for, until a draft comes of it; see :class:`Draft`.

    ``id`` will be the draft's, and names the agent's room and its run. The tasks are to be done by
    ``strategy``, or by their role's when it is empty.
    """

    id: str
    objective: str
    provider: str
    base: str
    strategy: str = ""
    revises: str = ""
    by: str = ""
    asked_ms: int = 0

    def same(self, other: Asked) -> bool:
        """Tell whether another one asks for the same."""
        return _wanted(self) == _wanted(other)


def _wanted(asked: Asked) -> tuple[str, ...]:
    return (asked.objective, asked.provider, asked.strategy, asked.revises)


class Draft(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A plan that ``provider`` drafted for ``objective``, on commit ``base``.

    ``plan`` is the blob with its tasks, ``digest`` the blob's SHA-256; ``answer`` the blob with the
    agent's own words. ``problems`` counts what is wrong, line by line in the blob ``wrong``: above
    zero it cannot be approved. It was checked under the policy with the SHA-256 ``policy``.
    ``revises`` is the draft that it is to replace.
    """

    id: str
    objective: str
    provider: str
    base: str
    policy: str
    digest: str
    plan: str
    answer: str
    tasks: int
    problems: int
    wrong: str = ""
    first_problem: str = ""
    revises: str = ""
    by: str = ""
    created_ms: int = 0
