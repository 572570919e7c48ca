"""Who guesses which changes are good: the plugin that policy names, as long as it works."""

from __future__ import annotations

from collections.abc import Callable

from gitcto.containment import Crashed, TimedOut, call_contained
from gitcto.descriptors import Predictor
from gitcto.errors import CtoError, ExitCode
from gitcto.queue.predict import ChangePredictor, PlainPredictor
from gitcto.queue.records import Item
from gitcto.registry import Registered
from gitcto.runtime.host.context import Context

DEADLINE_S = 2.0
"""How long one guess may take (seconds)."""

LEAST, MOST = 0.01, 0.995
"""Nobody is believed to be certain (probabilities)."""


def predictor_of(context: Context, note: Callable[[str], None]) -> ChangePredictor:
    """Return policy's predictor, or the plain one when it names none.

    ``note`` is told when the plugin does not work; the plain one guesses from then on, since no
    verdict depends on it. Raises ``CtoError`` when no plugin provides it.
    """
    name = context.policy.queue_predictor
    if not name:
        return PlainPredictor()
    registered = context.plugins.predictors().get(name)
    if registered is None:
        raise CtoError(
            f"no plugin provides the predictor {name!r}",
            "install one that does, or take [queue] predictor out of policy.toml",
            ExitCode.PLUGIN_MISSING,
        )
    return Contained(registered, context.plugins.instantiate(registered), note)


class Contained:
    """A plugin's predictor, asked once about each change and pair, and never wholly believed."""

    def __init__(
        self, registered: Registered[Predictor], made: object, note: Callable[[str], None]
    ) -> None:
        self._registered = registered
        self._made: object | None = made
        self._note = note
        self._plain = PlainPredictor()
        self._known: dict[tuple[Item, ...], float] = {}
        if isinstance(made, Crashed | TimedOut):
            self._give_up(made)

    def good(self, item: Item) -> float:
        """Return the probability that the change is green on a green base (0 to 1)."""
        if (item,) not in self._known:
            said = self._asked("good", item)
            self._known[item,] = self._plain.good(item) if said is None else said
        return self._known[item,]

    def conflict(self, earlier: Item, later: Item) -> float:
        """Return the probability that two good changes which share a path are red together."""
        pair = (earlier, later)
        if pair not in self._known:
            said = self._asked("conflict", *pair)
            self._known[pair] = self._plain.conflict(*pair) if said is None else said
        return self._known[pair]

    def _asked(self, method: str, *items: Item) -> float | None:
        if self._made is None:
            return None
        ask: Callable[..., object] = call_contained
        answer = ask(self._registered, self._made, method, *items, deadline_s=DEADLINE_S)
        if isinstance(answer, Crashed | TimedOut):
            self._give_up(answer)
            return None
        if not isinstance(answer, float) or answer != answer:  # noqa: PLR0124  # not a number
            return None
        return min(MOST, max(LEAST, answer))

    def _give_up(self, problem: Crashed | TimedOut) -> None:
        self._made = None
        self._note(f"{problem.what}: {problem.reason}; the plain predictor guesses instead")
