"""How likely a tree is green, given what has been seen green and red."""

from __future__ import annotations

from collections.abc import Iterable

from gitcto.queue.predict import ChangePredictor
from gitcto.queue.records import Run
from gitcto.queue.state import Queue
from gitcto.queue.trials import Finding, Trial

_SURE = 0.98
"""A red tree that was this likely green is explained by what nobody predicts: any two of it."""


class Chances:
    """Probabilities by Bayes: of changes, of pairs that share paths, and of parts of red trees.

    ``cleared`` are the changes that were green in some run. A pair counts until it was green
    together; ``red`` are the trees known to be red, without what has landed of them.
    """

    def __init__(
        self,
        queue: Queue,
        predictor: ChangePredictor,
        green: Iterable[Run],
        judged: Iterable[Trial],
    ) -> None:
        self.queue = queue
        self.cleared: set[str] = set()
        self.alone: dict[str, float] = {}
        self._unsure = {
            item_id: set(queue.neighbours[item_id]) - queue.rejected - queue.ejected
            for item_id in queue.items
        }
        judged = tuple(judged)
        self._together(green)
        for trial in judged:
            self.cleared.update(queue.items.keys() & set(trial.acquitted))
        landed = set(queue.landed)
        self._pairs: dict[str, dict[str, float]] = {}
        for item_id, item in queue.items.items():
            good = 1.0 if item_id in self.cleared else predictor.good(item)
            self.alone[item_id] = good * self._beside(item_id, predictor, landed)
        red = _smallest(
            frozenset(trial.run.tree) - landed
            for trial in judged
            if trial.finding is Finding.TOGETHER
        )
        self.red: list[frozenset[str]] = []
        self.priors = [self._prior(tree) for tree in red]
        self.red = red

    def _together(self, green: Iterable[Run]) -> None:
        for run in green:
            here = [item_id for item_id in run.tree if item_id in self._unsure]
            self.cleared.update(here)
            for item_id in here:
                unsure = self._unsure[item_id]
                if unsure:
                    unsure.difference_update(run.tree, self.queue.landed[: run.tip])

    def _beside(self, item_id: str, predictor: ChangePredictor, landed: set[str]) -> float:
        """Note how a change fits its neighbours, and return how it fits those that landed."""
        pairs: dict[str, float] = {}
        self._pairs[item_id] = pairs
        unsure, known, result = self._unsure[item_id], self.queue.known, 1.0
        for other_id in sorted(unsure) if unsure else ():
            one, other = known[item_id], known[other_id]
            both = (one, other) if one.seq < other.seq else (other, one)
            fits = 1 - predictor.conflict(*both)
            if other_id in landed:
                result *= fits
            else:
                pairs[other_id] = fits
        return result

    def _prior(self, members: Iterable[str]) -> float:
        """Return how likely a tree was green before any was known to be red."""
        pile = Pile(self)
        for item_id in sorted(members):
            pile.add(item_id)
        return pile.prior

    def fits(self, item_id: str, members: Iterable[str]) -> float:
        """Return how likely a change goes together with all ``members``, were all good."""
        pairs, result = self._pairs[item_id], 1.0
        if pairs:
            for other_id in members:
                result *= pairs.get(other_id, 1.0)
        return result

    def of(self, members: Iterable[str]) -> float:
        """Return how likely the tip with ``members`` is green; landed ones do not count."""
        pile = Pile(self)
        for item_id in members:
            if item_id in self.queue.items:
                pile.add(item_id)
        return pile.chance()


class Pile:
    """Changes put together one by one, and how likely they are green."""

    def __init__(self, chances: Chances) -> None:
        self._chances = chances
        self._parts: dict[int, tuple[float, int]] = {}
        self.members: dict[str, None] = {}
        self.prior = 1.0

    def add(self, item_id: str) -> None:
        """Put one more change on the pile."""
        self.prior, self._parts = self._grown(item_id)
        self.members[item_id] = None

    def chance(self) -> float:
        """Return how likely the pile is green."""
        return self._given_reds(self.prior, self._parts)

    def chance_with(self, item_id: str) -> float:
        """Return how likely the pile would be green with one more change."""
        return self._given_reds(*self._grown(item_id))

    def _grown(self, item_id: str) -> tuple[float, dict[int, tuple[float, int]]]:
        chances = self._chances
        alone = chances.alone[item_id]
        prior = self.prior * alone * chances.fits(item_id, self.members)
        if not chances.red:
            return prior, self._parts
        parts = dict(self._parts)
        for index, red in enumerate(chances.red):
            if item_id in red:
                part, size = parts.get(index, (1.0, 0))
                inside = [member for member in self.members if member in red]
                parts[index] = part * alone * chances.fits(item_id, inside), size + 1
        return prior, parts

    def _given_reds(self, prior: float, parts: dict[int, tuple[float, int]]) -> float:
        for index, (part, size) in parts.items():
            whole, total = self._chances.priors[index], len(self._chances.red[index])
            if size == total:
                return 0.0
            if whole >= _SURE:
                prior *= 1 - (size / total) ** 2
            elif part > 0:
                prior *= max(0.0, part - whole) / (1 - whole) / part
        return prior


def _smallest(reds: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """Return the red trees that contain no other, in an order that hash seeds do not change."""
    found: list[frozenset[str]] = []
    for red in sorted(set(reds), key=lambda red: (len(red), sorted(red))):
        if red and not any(other <= red for other in found):
            found.append(red)
    return found
