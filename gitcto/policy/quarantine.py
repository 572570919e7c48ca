"""Which tests' failures count for nothing on a day, and which do again. Pure."""

from __future__ import annotations

from gitcto.policy.records import Policy, Quarantined


def in_force(policy: Policy, day: str) -> tuple[Quarantined, ...]:
    """Return the entries that hold on a day (``YYYY-MM-DD``): the day they expire is the last."""
    return tuple(one for one in policy.quarantine if one.expires >= day)


def expired(policy: Policy, day: str) -> tuple[Quarantined, ...]:
    """Return the entries that do not hold any more on a day: their tests' failures count again."""
    return tuple(one for one in policy.quarantine if one.expires < day)
