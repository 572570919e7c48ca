"""Planted bugs: deliberate ones, in copies of our own sources, that our checks have to find.

A check that never fails says nothing; this is how we know that ours can.
"""

from gitcto.testing.planted.bug import Bug
from gitcto.testing.planted.bugs import BUGS
from gitcto.testing.planted.running import DETECTORS, DoesNotApplyError, Trial, plant, try_bug

__all__ = ["BUGS", "DETECTORS", "Bug", "DoesNotApplyError", "Trial", "plant", "try_bug"]
