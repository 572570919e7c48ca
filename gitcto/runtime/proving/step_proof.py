"""Deriving the steps of a ledger's attempts again, from the strategy that each began with.

Nothing but the ledger is asked: which steps there were is folded from it, what comes next is said
by the function that said it then. What an attempt took up must be what its strategy ends with, and
no attempt may say that its strategy gave up when it would not have. An attempt whose lease names no
file is of a time that kept none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gitcto.model.codec import Event
from gitcto.model.events import ExecutionFailed, WorkHarvested
from gitcto.model.evolve import evolve
from gitcto.model.records import Execution
from gitcto.model.state import State
from gitcto.model.step_commands import StartStep
from gitcto.model.step_events import StepStarted
from gitcto.model.step_rules import authors
from gitcto.runtime.core.seats import last_in
from gitcto.runtime.core.step_orders import MAIL, going_on, move_of, ordered
from gitcto.strategies.records import Finish, GiveUp, Move, Start, Strategy

Find = Callable[[str, str], Strategy | str]
"""Returns the strategy of a name and a digest, or why it cannot be had."""

_Body = StepStarted | WorkHarvested | ExecutionFailed

_GIVEN_UP = frozenset({"no_verdict", "no_work", "rejected", "strategy_changed"})
"""Why an attempt failed when nothing but its strategy said so."""

_JUDGING = ("verdict", "choice")
_ORDERED = frozenset(
    {
        *("execution", "epoch", "number", "name", "role", "provider", "seat", "edits", "asks"),
        *("reads", "told", "session_of", "replaces", "why"),
    }
)
"""The fields of a step that an order and the steps before it settle, given who does it."""


class Derived(NamedTuple):
    """What an event says of task ``task`` that a strategy decides; "" when it says so again."""

    task: str
    said: str
    differs: str


class StepProof:
    """Takes the events of one ledger in, the oldest first; ``only`` names one execution."""

    def __init__(self, find: Find, only: str = "") -> None:
        self._find = find
        self._only = only
        self._known: dict[tuple[str, str], Strategy | str] = {}
        self._state = State()

    def take(self, event: Event, seq: int) -> Derived | None:
        """Return what a strategy has to say of an event, and take it in; None for nothing."""
        derived = None
        if isinstance(event.body, _Body):
            x = self._state.execution(event.body.execution)
            wanted = x is not None and self._only in ("", x.id)
            if x is not None and wanted and x.strategy_file and not x.adopted:
                derived = self._derive(x, event.body)
        self._state.put(evolve(self._state, event, seq))
        return derived

    def _derive(self, x: Execution, body: _Body) -> Derived | None:
        if isinstance(body, ExecutionFailed) and body.reason not in _GIVEN_UP:
            return None
        key = (x.strategy, x.strategy_file)
        if key not in self._known:
            self._known[key] = self._find(*key)
        strategy = self._known[key]
        if isinstance(strategy, str):
            return Derived(x.task, _said(body), strategy)
        move = move_of(strategy, x)
        return Derived(x.task, _said(body), "" if _follows(x, body, move) else _next(move))


def _follows(x: Execution, body: _Body, move: Move) -> bool:
    """Tell whether an event is what a move comes to."""
    if isinstance(body, ExecutionFailed):
        return isinstance(move, GiveUp) and move.reason == body.reason
    if isinstance(body, WorkHarvested):
        made = last_in(x, move.seat) if isinstance(move, Finish) else None
        return made is not None and made.commit == body.commit
    return any(
        all(getattr(start, name) == getattr(body, name) for name in _ORDERED)
        for start in _due(x, body, move)
    )


def _due(x: Execution, e: StepStarted, move: Move) -> Iterator[StartStep]:
    """Yield the steps that could be started now, by whom this one is done."""
    if not _is_decided(x, e):
        return
    if isinstance(move, Finish) and e.why == MAIL:
        writer = last_in(x, move.seat)
        if writer is not None:
            yield going_on(x, writer, 0)
    for order in move.orders if isinstance(move, Start) else ():
        if e.provider not in order.avoid:
            yield ordered(x, order, e.provider, e.decision, 0)


def _is_decided(x: Execution, e: StepStarted) -> bool:
    """Tell whether the decision of a step is about this step, and chose who does it.

    Who goes on for a letter was decided before.
    """
    if e.decision is None:
        return e.why == MAIL
    wanted = {
        "execution": x.id,
        "strategy": x.strategy,
        "step": e.name,
        "part": e.role,
        "edits": "yes" if e.edits else "no",
        "wrote": ",".join(authors(x)) if e.asks in _JUDGING else "",
        "selected": e.provider,
    }
    return all(e.decision.inputs.get(key) == value for key, value in wanted.items())


def _said(body: _Body) -> str:
    if isinstance(body, StepStarted):
        return f"step {body.number} {body.name} by {body.provider or 'nobody'}"
    if isinstance(body, WorkHarvested):
        return f"the work {body.commit[:12]}"
    return f"the end {body.reason}"


def _next(move: Move) -> str:
    if isinstance(move, Finish):
        return f"its strategy takes up what is in seat {move.seat}"
    if isinstance(move, GiveUp):
        return f"its strategy gives up: {move.reason}"
    names = ", ".join(order.step for order in move.orders)
    return f"its strategy starts {names} otherwise" if names else "its strategy waits"
