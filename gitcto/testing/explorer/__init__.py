"""The protocol, explored: every state that clones, workers, crashes and strangers can bring about.

Deciding is the product's own; the world around it is a few tuples that can go wrong in every way.
"""

from gitcto.testing.explorer.search import Counterexample, Explored, Search
from gitcto.testing.explorer.world import Setting

SMALL = (
    Setting(name="one after the other", epochs=(1, 1), crashes=1, chained=True, outside=True),
    Setting(name="one seat", epochs=(1, 1), crashes=0, seats=1),
    Setting(name="one clone", epochs=(1, 1), crashes=1),
    Setting(name="two attempts", epochs=(2, 0), crashes=1),
    Setting(name="two clones", clones=2, epochs=(2, 0), crashes=0),
)
"""Explored whole in every run of the tests."""

FULL = (
    Setting(name="one clone", epochs=(3, 3)),
    Setting(name="one seat", epochs=(3, 3), seats=1),
    Setting(name="one after the other", epochs=(3, 3), chained=True, outside=True),
    Setting(name="two clones", clones=2, epochs=(3, 3)),
)
"""Two workers, two tasks, three tokens each, two crashes."""

__all__ = ["FULL", "SMALL", "Counterexample", "Explored", "Search", "Setting"]
