"""What a red run means, once the tests that failed have been run again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from gitcto.queue.records import Ended, Run, RunKind, Verdict
from gitcto.queue.state import Queue

CONFIRMATIONS = 2
"""How often the failing tests must be red again, on a change's own, before it is rejected."""


class Finding(Enum):
    """What is known about a red run."""

    OPEN = auto()
    """A confirmation has to be made, or is under way."""
    FLAKE = auto()
    """The same tests passed on the same tree: the run counts as green."""
    GUILTY = auto()
    """The one change of the unit is red by itself on a validated base, every time."""
    TOGETHER = auto()
    """The tree is red again; which of its changes, or which two of them, is not known."""
    MOOT = auto()
    """One of its changes has left the queue otherwise, or a green run contains them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A red run and what is known about it.

    ``alone`` are the changes whose failing tests have to be run on the tip with nothing else,
    ``whole`` says whether the tree has to be. ``acquitted`` changes passed these tests alone;
    ``guilty`` ones did not, in the confirmations named.
    """

    ended: Ended
    finding: Finding
    alone: tuple[str, ...] = ()
    whole: bool = False
    acquitted: tuple[str, ...] = ()
    guilty: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        """The run that was red."""
        return self.ended.run


def trials(queue: Queue) -> tuple[Trial, ...]:
    """Return a trial for each red judgement, in the order the runs were started."""
    confirmations = defaultdict(list)
    for number in sorted(queue.ended):
        ended = queue.ended[number]
        if ended.run.kind is RunKind.CONFIRM:
            confirmations[ended.run.confirms].append(ended)
    greens = list(plainly_green(queue))
    return tuple(
        _trial(queue, queue.ended[number], confirmations[number], greens)
        for number in sorted(queue.ended)
        if queue.ended[number].verdict is Verdict.RED
        and queue.ended[number].run.kind is RunKind.JUDGE
    )


def plainly_green(queue: Queue) -> Iterator[Run]:
    """Yield the judgements that were green at once."""
    for number in sorted(queue.ended):
        ended = queue.ended[number]
        if ended.verdict is Verdict.GREEN and ended.run.kind is RunKind.JUDGE:
            yield ended.run


def greens(queue: Queue, judged: Iterable[Trial]) -> list[Run]:
    """Return all runs that count as green, in the order they were started."""
    flaky = [trial.run for trial in judged if trial.finding is Finding.FLAKE]
    return sorted([*plainly_green(queue), *flaky], key=_number)


def confirmations(queue: Queue, trial: Trial) -> list[Run]:
    """Return the confirmations that an open trial lacks, numbered from the queue's next run.

    A change is confirmed by itself on the tip, because only a red there is its own.
    """
    run = trial.run
    again = Run(
        number=queue.runs + 1,
        kind=RunKind.CONFIRM,
        tip=run.tip,
        prefix=run.prefix,
        unit=run.unit,
        confirms=run.number,
        tests=trial.ended.failed,
    )
    wanted = [again] if trial.whole else []
    tip = len(queue.landed)
    wanted += [replace(again, tip=tip, prefix=(), unit=(item_id,)) for item_id in trial.alone]
    under_way = {
        (one.prefix, one.unit)
        for one in queue.running.values()
        if one.kind is RunKind.CONFIRM and one.confirms == run.number
    }
    left = [one for one in wanted if (one.prefix, one.unit) not in under_way]
    return [replace(one, number=one.number + place) for place, one in enumerate(left)]


def contains(queue: Queue, larger: Run, smaller: Run) -> bool:
    """Tell whether all that a run's tree is made of is also in another's."""
    between = queue.landed[larger.tip : smaller.tip]
    also = queue.landed[smaller.tip : larger.tip]
    return set(between).issubset(larger.tree) and set(smaller.tree) <= {*larger.tree, *also}


def _number(run: Run) -> int:
    return run.number


def _trial(queue: Queue, ended: Ended, confirmed: list[Ended], green: list[Run]) -> Trial:
    run = ended.run
    whole = [one.verdict for one in confirmed if one.run.tree == run.tree]
    alone: dict[str, list[Ended]] = {item_id: [] for item_id in run.unit}
    for one in confirmed:
        if one.run.prefix == () and len(one.run.unit) == 1:
            alone[one.run.unit[0]].append(one)
    acquitted = tuple(
        item_id
        for item_id, own in alone.items()
        if any(one.verdict is Verdict.GREEN for one in own)
    )
    trial = Trial(ended=ended, finding=Finding.MOOT, acquitted=acquitted)
    if any(item_id in queue.rejected or item_id in queue.ejected for item_id in run.tree):
        return trial
    if not any(item_id in queue.items for item_id in run.tree):
        return trial
    if any(contains(queue, other, run) for other in green):
        return trial
    if Verdict.GREEN in whole:
        return replace(trial, finding=Finding.FLAKE)
    if len(run.tree) > 1 and not ended.failed:
        return replace(trial, finding=Finding.TOGETHER)
    if len(run.tree) > 1 and not whole:
        return replace(trial, finding=Finding.OPEN, whole=True)
    return _culprits(queue, trial, alone)


def _culprits(queue: Queue, trial: Trial, alone: Mapping[str, list[Ended]]) -> Trial:
    """Find whose fault a red is which the same tree has shown twice, if it is one change's."""
    single = len(trial.run.tree) == 1
    enough = CONFIRMATIONS if single else CONFIRMATIONS + 1
    suspects = [
        item_id for item_id in alone if item_id in queue.items and item_id not in trial.acquitted
    ]
    todo = tuple(item_id for item_id in suspects if len(alone[item_id]) < enough)
    if todo:
        return replace(trial, finding=Finding.OPEN, alone=todo)
    if suspects:
        guilty = {i: tuple(one.run.number for one in alone[i]) for i in suspects}
        return replace(trial, finding=Finding.GUILTY, guilty=guilty)
    return replace(trial, finding=Finding.TOGETHER)
