"""Every ledger that a search meets, each once: what it folds to, and what a command makes of it.

Commands are decided by the product's own ``decide``, once for each ledger: most states of the world
share theirs with many others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from gitcto.model import commands as cmd
from gitcto.model.codec import Event, canonical
from gitcto.model.decide import Answer, decide
from gitcto.model.events import OutcomeRefused
from gitcto.model.evolve import evolve
from gitcto.model.state import State
from gitcto.testing.invariants.checking import wrong_with
from gitcto.testing.invariants.folding import take
from gitcto.testing.invariants.records import Bounds
from gitcto.testing.invariants.seen import Seen

NOW_MS = 1_000
"""When everything happens; a lease that is taken is over, whatever the clock says."""

Decide = Callable[[State, cmd.Command, int], Answer]

_OUTCOMES = get_args(cmd.OutcomeCommand)


@dataclass(frozen=True, slots=True)
class Node:
    """A ledger: the product's fold of it, and a fold that shares nothing with it."""

    state: State
    seen: Seen


@dataclass(frozen=True, slots=True)
class Step:
    """What a command made of a ledger: ``after`` is the same one when it was refused."""

    after: int
    kinds: tuple[str, ...]
    refused: str = ""
    wrong: tuple[str, ...] = ()


class Ledgers:
    """Ledgers by number, the first one empty."""

    def __init__(self, bounds: Bounds, decided_by: Decide = decide) -> None:
        self.nodes: list[Node] = []
        self._numbers: dict[bytes, int] = {}
        self._bounds = bounds
        self._decide = decided_by
        self._number(Node(State(), Seen()))

    def record(self, number: int, command: cmd.Command, ts: int = NOW_MS) -> Step:
        """Return what a command makes of a ledger. ``ts`` is when, by the writer's clock."""
        node = self.nodes[number]
        answer = self._decide(node.state, command, NOW_MS)
        if isinstance(answer, cmd.Refusal):
            return Step(number, (), answer.code)
        after, wrong = _fork(node), list(self._fenced(node, command, answer))
        kinds = []
        for body in answer:
            event = Event(id="", ts=ts, actor="", prev="", v=body.VERSION, body=body)
            kinds.append(event.kind)
            wrong += [
                f"{name}: {what}" for name, what in wrong_with(after.seen, event, self._bounds)
            ]
            take(after.seen, event)
            at_once = Event(id="", ts=NOW_MS, actor="", prev="", v=body.VERSION, body=body)
            after.state.put(evolve(after.state, at_once, 0))
        return Step(self._number(after), tuple(kinds), wrong=tuple(wrong))

    def _fenced(self, node: Node, command: cmd.Command, answer: Answer) -> Iterator[str]:
        """Check that an outcome with an old token, or of what is over, is refused."""
        if not isinstance(command, _OUTCOMES) or isinstance(answer, cmd.Refusal):
            return
        given: Any = command
        x = node.seen.executions.get(given.execution)
        current = x is not None and x.stage != "over" and given.epoch == x.epoch
        if not current and not all(isinstance(body, OutcomeRefused) for body in answer):
            yield f"S2: {type(given).__name__} of {given.execution} at {given.epoch} is accepted"

    def _number(self, node: Node) -> int:
        state = node.state
        key = canonical((state.team, state.tasks, state.executions, node.seen))
        known = self._numbers.get(key)
        if known is None:
            known = self._numbers[key] = len(self.nodes)
            self.nodes.append(node)
        return known


def _fork(node: Node) -> Node:
    state = State()
    state.put(node.state.records())
    return Node(state, node.seen.fork())
