"""Breadth first through every state, so that what is found wrong is found by the shortest way."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from gitcto.model.decide import decide
from gitcto.testing.explorer.ledgers import Decide, Ledgers
from gitcto.testing.explorer.protocol import Key, Next, Protocol
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
        self._numbers: dict[World, int] = {}
        self._worlds: list[World] = []
        self._from: list[tuple[int, Key]] = []
        self._edges = array("q")
        self._checked: dict[tuple[int, tuple[str, ...]], tuple[str, ...]] = {}

    def run(self, most: int = 10_000_000) -> Explored:
        """Visit every state, ``most`` at most."""
        self._add(self._protocol.first(), 0, ())
        found: Counterexample | None = None
        depths, at = [0], 0
        while at < len(self._worlds) and found is None and len(self._worlds) < most:
            for step in self._protocol.steps(self._worlds[at]):
                found = found or self._take(at, step)
                if len(self._worlds) > len(depths):
                    depths.append(depths[at] + 1)
            at += 1
        complete = at == len(self._worlds) and found is None
        return Explored(
            setting=self._protocol.setting.name,
            states=len(self._worlds),
            transitions=len(self._edges) // 2,
            ledgers=len(self._ledgers.nodes),
            depth=depths[-1],
            complete=complete,
            found=self._stuck() if complete else found,
        )

    def _take(self, at: int, step: Next) -> Counterexample | None:
        """Follow one step; return what it breaks, or what is wrong where it leads."""
        if step.wrong:
            return self._way(at, step.label, step.wrong)
        known = self._numbers.get(step.world)
        if known is None:
            known = self._add(step.world, at, step.label)
            wrong = self._world(step.world)
            if wrong:
                return self._way(at, step.label, wrong)
        self._edges.extend((at, known))
        return None

    def _add(self, world: World, before: int, label: Key) -> int:
        number = self._numbers[world] = len(self._worlds)
        self._worlds.append(world)
        self._from.append((before, label))
        return number

    def _stuck(self) -> Counterexample | None:
        """Return the nearest state from which no way leads to an end, if there is one."""
        into: dict[int, list[int]] = {}
        for before, after in zip(self._edges[::2], self._edges[1::2], strict=True):
            into.setdefault(after, []).append(before)
        good = {n for n, world in enumerate(self._worlds) if self._protocol.finished(world)}
        waiting = list(good)
        while waiting:
            new = set(into.get(waiting.pop(), ())) - good
            good |= new
            waiting += new
        stuck = next((n for n in range(len(self._worlds)) if n not in good), None)
        return None if stuck is None else self._way(stuck, (), ("L1: from here nothing ends",))

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

    def _way(self, at: int, label: Key, wrong: tuple[str, ...]) -> Counterexample:
        steps = [label] if label else []
        while at:
            at, before = self._from[at]
            steps.append(before)
        return Counterexample(wrong=wrong, steps=tuple(_said(step) for step in reversed(steps)))


def _commit(name: str) -> TargetCommit:
    execution, at, _ = name.partition("@")
    if not at:
        return TargetCommit(commit=name)
    assert origin(execution) >= 0
    return TargetCommit(commit=name, executions=(execution,), tasks=(execution[0],))


def _said(label: Key) -> str:
    return " ".join(",".join(each) if isinstance(each, tuple) else str(each) for each in label)
