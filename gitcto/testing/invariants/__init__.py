"""The invariants of git-cto, checked from a team's events in one pass, and asked of the world.

A check has its own fold of the ledger: it believes nothing that ``decide`` and ``evolve`` say.
"""

from gitcto.testing.invariants.checking import Watch, check
from gitcto.testing.invariants.observing import check_repository, observe
from gitcto.testing.invariants.records import MEANING, Bounds, Observed, TargetCommit, Violation

__all__ = [
    "MEANING",
    "Bounds",
    "Observed",
    "TargetCommit",
    "Violation",
    "Watch",
    "check",
    "check_repository",
    "observe",
]
