"""What to judge next: units in queue order, and the changes they are judged on top of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gitcto.queue.chances import Chances, Pile
from gitcto.queue.records import Item, Run, RunKind
from gitcto.queue.settings import Settings
from gitcto.queue.state import Queue, rest

LONELY = 8
"""After this many runs about a change it is judged alone while nothing else may land."""

STUMBLED_ALONE = 2
"""A change whose runs did not run this often is judged alone, so that it stops nobody else."""


def exclusive(queue: Queue, item_id: str) -> bool:
    """Tell whether a waiting change is judged alone on the tip, and the tip waits for it."""
    item = queue.items.get(item_id)
    return item is not None and (item.tier == "P0" or queue.judged.get(item_id, 0) >= LONELY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Chooses runs one by one. ``order`` is the whole queue; ``busy`` changes are being judged."""

    queue: Queue
    chances: Chances
    settings: Settings
    capacity: int
    order: Sequence[Item]
    busy: Collection[str]

    def runs(self, slots: int) -> Iterator[Run]:
        """Yield at most ``slots`` runs to start now, each in the knowledge of those before."""
        planner = self
        for _ in range(slots):
            run = planner._next()
            if run is None:
                return
            yield run
            running = {**planner.queue.running, run.number: run}
            queue = replace(planner.queue, running=running, runs=run.number)
            planner = replace(planner, queue=queue, busy={*planner.busy, *run.unit})

    def _next(self) -> Run | None:
        waiting = [item.id for item in self.order if item.id not in self.busy]
        shared = [item_id for item_id in waiting if not exclusive(self.queue, item_id)]
        for item_id in waiting:
            if exclusive(self.queue, item_id):
                if not self._exclusive_runs():
                    return self._run((), (item_id,))
            elif item_id not in self.chances.cleared:
                return self._judge(item_id, shared)
        return self._integrate([item_id for item_id in shared if item_id in self.chances.cleared])

    def _run(self, prefix: Iterable[str], unit: Iterable[str]) -> Run:
        return Run(
            number=self.queue.runs + 1,
            kind=RunKind.JUDGE,
            tip=len(self.queue.landed),
            prefix=tuple(prefix),
            unit=tuple(unit),
        )

    def _exclusive_runs(self) -> bool:
        return any(
            exclusive(self.queue, item_id)
            for run in self.queue.running.values()
            for item_id in run.unit
        )

    def _judge(self, first: str, waiting: Sequence[str]) -> Run:
        """Return a run of the unit that starts with ``first``, on the best there is below it."""
        if self._lonely(first):
            return self._run((), (first,))
        below: tuple[str, ...] = ()
        if self._risky(first):
            unit = Pile(self.chances)
            unit.add(first)
        else:
            unit = self._unit(first, waiting)
            below = self._below(self.settings.stack, unit.members)
        prefix = self._with_riders(below, waiting, unit.members)
        return self._run(prefix, unit.members)

    def _clash(self, *members: str) -> bool:
        return any(clash.issubset(members) for clash in self.queue.clashes)

    def _lonely(self, item_id: str) -> bool:
        return self.queue.stumbled.get(item_id, 0) >= STUMBLED_ALONE

    def _risky(self, item_id: str) -> bool:
        return self.chances.alone[item_id] < self.settings.risky

    def _unit(self, first: str, waiting: Iterable[str]) -> Pile:
        """Return ``first`` and those behind it that are likely green together with it."""
        pile = Pile(self.chances)
        pile.add(first)
        most = self.settings.most or -(-len(self.queue.items) // self.capacity)
        for item_id in waiting:
            if len(pile.members) >= most:
                break
            joins = (
                item_id not in pile.members
                and item_id not in self.chances.cleared
                and not self._risky(item_id)
                and not self._lonely(item_id)
                and not self._clash(*pile.members, item_id)
            )
            if joins and pile.chance_with(item_id) >= self.settings.whole:
                pile.add(item_id)
        return pile

    def _below(self, floor: float, above: Collection[str]) -> tuple[str, ...]:
        """Return the longest tree under judgement on this tip that is green with ``floor``.

        None on which no tree with ``above`` can be made, and none that holds one of them: its run
        may go on although that change waits again, because it could not be judged.
        """
        best: tuple[str, ...] = ()
        for number in sorted(self.queue.running):
            run = self.queue.running[number]
            tree = rest(self.queue, run) if run.kind is RunKind.JUDGE else None
            if not tree or len(tree) <= len(best) or not set(above).isdisjoint(tree):
                continue
            if not self._clash(*tree, *above) and self.chances.of(tree) >= floor:
                best = tree
        return best

    def _with_riders(
        self, below: tuple[str, ...], waiting: Iterable[str], above: Collection[str]
    ) -> Iterable[str]:
        """Return ``below`` and the cleared changes that can be taken along at little risk."""
        pile = Pile(self.chances)
        for item_id in below:
            pile.add(item_id)
        enough = self.settings.ride * pile.chance()
        for item_id in waiting:
            rides = item_id in self.chances.cleared and item_id not in pile.members
            rides = rides and not self._clash(*pile.members, item_id, *above)
            if rides and pile.chance_with(item_id) >= enough:
                pile.add(item_id)
        return pile.members

    def _integrate(self, cleared: Sequence[str]) -> Run | None:
        """Return a run that lands what is cleared, when nothing else would take it along."""
        judging = [run for run in self.queue.running.values() if run.kind is RunKind.JUDGE]
        taken = {item_id for run in judging for item_id in rest(self.queue, run) or ()}
        left = [item_id for item_id in cleared if item_id not in taken]
        if not left:
            return None
        below = self._below(self.settings.floor, left[:1])
        pile = Pile(self.chances)
        for item_id in below:
            pile.add(item_id)
        enough = self.settings.whole * pile.chance()
        unit: list[str] = []
        for item_id in left:
            fits = pile.chance_with(item_id) >= enough and not self._clash(*pile.members, item_id)
            if not unit or fits:
                pile.add(item_id)
                unit.append(item_id)
        return self._run(below, unit)
