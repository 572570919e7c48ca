"""Breadth first through every state, so that what is found wrong is found by the shortest way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gitcto.model.decide import decide
from gitcto.testing.explorer.ledgers import Decide, Ledgers
from gitcto.testing.explorer.protocol import Key, Protocol
from gitcto.testing.explorer.world import Setting, World, origin
from gitcto.testing.invariants.records import Bounds, Observed, TargetCommit
from gitcto.testing.invariants.world import of_world


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """What is wrong, and the shortest way there, a step a line."""

    wrong: tuple[str, ...]
    steps: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as a list of steps."""
        lines = [f"{number:3} {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([*self.wrong, *lines])


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """How much was seen: ``depth`` is how many steps the farthest state is away.

    ``complete`` is False when the search ended at a limit or at what it found.
    """

    setting: str
    states: int
    transitions: int
    ledgers: int
    depth: int
    complete: bool
    found: Counterexample | None


class Search:
    """Explores one setting; stops at the first thing that is wrong."""

    def __init__(self, setting: Setting, decided_by: Decide = decide) -> None:
        self._ledgers = Ledgers(Bounds(max_workers=setting.seats), decided_by)
        self._protocol = Protocol(setting, self._ledgers)
        self._from: dict[World, tuple[World, Key] | None] = {}
        self._checked: dict[tuple[int, tuple[str, ...]], tuple[str, ...]] = {}

    def run(self, most: int = 10_000_000) -> Explored:
        """Visit every state, ``most`` at most."""
        start = self._protocol.first()
        self._from[start] = None
        queue: deque[tuple[World, int]] = deque([(start, 0)])
        transitions = depth = 0
        found: Counterexample | None = None
        while queue and found is None and len(self._from) < most:
            at, depth = queue.popleft()
            moved = False
            for label, after, wrong in self._protocol.steps(at):
                transitions += 1
                moved = moved or after != at
                if wrong:
                    found = self._way(at, label, wrong)
                    break
                if after in self._from:
                    continue
                self._from[after] = (at, label)
                odd = self._world(after)
                if odd:
                    found = self._way(at, label, odd)
                    break
                queue.append((after, depth + 1))
            if not moved and found is None and not self._protocol.finished(at):
                found = self._way(at, (), ("L1: nothing can go on",))
        return Explored(
            setting=self._protocol.setting.name,
            states=len(self._from),
            transitions=transitions,
            ledgers=len(self._ledgers.nodes),
            depth=depth,
            complete=not queue and found is None,
            found=found,
        )

    def _world(self, at: World) -> tuple[str, ...]:
        """Check a state's target against its ledger, once for each two of them."""
        key = (at.ledger, at.target)
        known = self._checked.get(key)
        if known is None:
            known = self._checked[key] = tuple(self._against(at))
        return known

    def _against(self, at: World) -> list[str]:
        seen = self._ledgers.nodes[at.ledger].seen
        history = tuple(_commit(each) for each in at.target)
        wrong = [f"{name}: {what}" for name, what in of_world(seen, (), Observed(target=history))]
        landed = {x for each in history for x in each.executions}
        for name in sorted(landed):
            x = seen.executions[name]
            if x.stage == "over" and not x.done:
                wrong.append(f"S10: {name} is on the target, and its execution failed")
        return wrong

    def _way(self, at: World, label: Key, wrong: tuple[str, ...]) -> Counterexample:
        steps = [label] if label else []
        before = self._from[at]
        while before is not None:
            steps.append(before[1])
            before = self._from[before[0]]
        return Counterexample(wrong=wrong, steps=tuple(_said(step) for step in reversed(steps)))


def _commit(name: str) -> TargetCommit:
    execution, at, _ = name.partition("@")
    if not at:
        return TargetCommit(commit=name)
    assert origin(execution) >= 0
    return TargetCommit(commit=name, executions=(execution,), tasks=(execution[0],))


def _said(label: Key) -> str:
    return " ".join(",".join(each) if isinstance(each, tuple) else str(each) for each in label)
