"""Queues in the state that a test needs, and worlds that Hypothesis makes up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from gitcto.queue.actions import Action, Cancel, Eject, Hold, Land, Reject, Start
from gitcto.queue.decide import decide
from gitcto.queue.predict import PlainPredictor
from gitcto.queue.records import (
    Ejected,
    Ended,
    Enqueued,
    Fact,
    Item,
    Landed,
    Rejected,
    Run,
    RunEnded,
    RunKind,
    RunStarted,
    Verdict,
)
from gitcto.queue.state import Queue, after, fold

PLAIN = PlainPredictor()
TESTS = ("tests/test_it.py::test_it",)


class Sure:
    """A predictor that is told what to say."""

    def __init__(self, good: float = 0.99, conflict: float = 0.03, **of: float) -> None:
        self._good, self._conflict, self._of = good, conflict, of

    def good(self, item: Item) -> float:
        return self._of.get(item.id, self._good)

    def conflict(self, earlier: Item, later: Item) -> float:
        return self._conflict


def item(name: str, seq: int, *, paths: Iterable[str] = (), **others) -> Item:
    return Item(id=name, seq=seq, enqueued_ms=0, paths=frozenset(paths or {name}), **others)


def queue_of(*names: str, **others) -> Queue:
    """Return a queue in which these changes wait, with nothing in common."""
    return fold(Enqueued(item=item(name, seq, **others)) for seq, name in enumerate(names, start=1))


def started(queue: Queue, unit: Sequence[str], prefix: Sequence[str] = (), **others) -> Queue:
    """Return the queue after a run was started on its tip."""
    run = Run(
        number=queue.runs + 1,
        kind=RunKind.JUDGE,
        tip=len(queue.landed),
        prefix=tuple(prefix),
        unit=tuple(unit),
    )
    return after(queue, RunStarted(run=run))


def ended(queue: Queue, number: int, verdict: Verdict, failed: tuple[str, ...] = TESTS) -> Queue:
    named = failed if verdict is Verdict.RED else ()
    return after(queue, RunEnded(number=number, verdict=verdict, executed=9, failed=named))


def starts(actions: Iterable[Action]) -> list[Run]:
    return [action.run for action in actions if isinstance(action, Start)]


def reasons(actions: Iterable[Action]) -> list[str]:
    return [action.reason for action in actions if isinstance(action, Hold)]


@dataclass
class Shell:
    """Carries actions out against a truth, one finished run at a time, and checks every promise.

    No tree can be made of the pairs in ``apart``.

    ``choices`` say which of the runs under way ends next, and how much goes wrong by chance.
    """

    bad: frozenset[str]
    enemies: frozenset[frozenset[str]]
    choices: list[int]
    capacity: int = 3
    predictor: object = PLAIN
    flaky: bool = False
    apart: frozenset[frozenset[str]] = frozenset()
    queue: Queue = field(default_factory=Queue)
    facts: list[Fact] = field(default_factory=list)
    landed: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    ejected: list[str] = field(default_factory=list)

    def green(self, tree: Iterable[str]) -> bool:
        content = set(tree)
        return not content & self.bad and not any(pair <= content for pair in self.enemies)

    def record(self, fact: Fact) -> None:
        self.queue = after(self.queue, fact)
        self.facts.append(fact)

    def until_empty(self, limit: int = 3000) -> None:
        for _ in range(limit):
            self.settle()
            if not self.queue.running:
                break
            self.end_one()
        assert not self.queue.items, "changes came to no end"

    def settle(self) -> None:
        for _ in range(1000):
            actions = decide(self.queue, self.capacity, self.predictor, 0)
            doing = [action for action in actions if not isinstance(action, Hold)]
            for action in doing:
                self.carry_out(action)
            if not doing:
                return
        raise AssertionError("the scheduler never comes to rest")

    def end_one(self) -> None:
        numbers = sorted(self.queue.running)
        choice = self.choices.pop() if self.choices else 0
        run = self.queue.running[numbers[choice % len(numbers)]]
        clash = next((pair for pair in self.apart if pair <= set(run.tree)), None)
        if clash is not None:
            self.record(RunEnded(number=run.number, verdict=None, clash=tuple(clash)))
            return
        if self.does_not_fit(run):
            return
        green = self.green([*self.landed[: run.tip], *run.tree])
        if self.flaky and choice % 7 == 3:
            self.record(RunEnded(number=run.number, verdict=Verdict.NOT_RUN))
        elif green and not (self.flaky and choice % 7 == 5):
            self.record(RunEnded(number=run.number, verdict=Verdict.GREEN, executed=9))
        else:
            named = () if choice % 3 == 1 else TESTS
            self.record(RunEnded(number=run.number, verdict=Verdict.RED, executed=9, failed=named))

    def does_not_fit(self, run: Run) -> bool:
        """End a run of a change that does not go on what landed, and take the change out."""
        on = set(self.landed[: run.tip])
        gone = {name for pair in self.apart if pair & on for name in pair & set(run.tree) - on}
        gone &= self.queue.items.keys()
        if not gone:
            return False
        self.record(RunEnded(number=run.number, verdict=None))
        if run.tip == len(self.queue.landed):
            name = min(gone)
            self.ejected.append(name)
            self.record(Ejected(item=name))
        return True

    def carry_out(self, action: Action) -> None:
        match action:
            case Start(run=run):
                assert len(self.queue.running) < self.capacity
                assert not any(clash <= set(run.tree) for clash in self.queue.clashes)
                self.record(RunStarted(run=run))
            case Cancel(number=number):
                self.record(RunEnded(number=number, verdict=None))
            case Land(number=number, items=items):
                self.check_landing(self.queue.ended[number], items)
                self.landed += items
                self.record(Landed(number=number))
                assert self.green(self.landed)
            case Reject(item=name):
                self.check_rejection(action)
                self.rejected.append(name)
                self.record(Rejected(item=name))
            case Eject(item=name):
                self.ejected.append(name)
                self.record(Ejected(item=name))

    def check_landing(self, judged: Ended, items: tuple[str, ...]) -> None:
        """The green run's tree is exactly the target with what lands on it."""
        run = judged.run
        green = judged.verdict is Verdict.GREEN or any(
            one.verdict is Verdict.GREEN and one.run.tree == run.tree
            for one in self.queue.ended.values()
            if one.run.confirms == run.number
        )
        assert green
        assert [*self.landed[: run.tip], *run.tree] == [*self.landed, *items]

    def check_rejection(self, action: Reject) -> None:
        """It was red three times on its own, each time on what had once been the target."""
        judged = self.queue.ended[action.number].run
        own = [self.queue.ended[number] for number in action.confirmations]
        assert all(one.verdict is Verdict.RED for one in own)
        assert all(one.run.tree == (action.item,) for one in own)
        assert all(one.run.confirms == action.number for one in own)
        assert len(own) == (2 if judged.tree == (action.item,) else 3)
        assert action.item in judged.unit


@st.composite
def shells(draw, *, flaky: bool = False, apart: bool = False) -> Shell:
    count = draw(st.integers(2, 14))
    names = [f"x{number:02}" for number in range(count)]
    files = [f"f{number}" for number in range(draw(st.sampled_from([1, 3, 30])))]
    items = [
        item(
            name,
            seq,
            paths=draw(st.sets(st.sampled_from(files), min_size=1, max_size=2)),
            tier=draw(st.sampled_from(["P0", "P1", "P1", "P1", "P2"])),
            priority=draw(st.sampled_from(["urgent", "normal", "low"])),
            failure_rate=draw(st.sampled_from([0.0, 0.1, 0.9])),
        )
        for seq, name in enumerate(names, start=1)
    ]
    pairs = st.frozensets(st.sampled_from(names), min_size=2, max_size=2)
    shell = Shell(
        apart=draw(st.frozensets(pairs, max_size=3)) if apart else frozenset(),
        bad=draw(st.frozensets(st.sampled_from(names), max_size=4)),
        enemies=draw(st.frozensets(pairs, max_size=3)),
        choices=draw(st.lists(st.integers(0, 1000), max_size=120)),
        capacity=draw(st.integers(1, 6)),
        flaky=flaky,
    )
    for one in items:
        shell.record(Enqueued(item=one))
        if draw(st.booleans()):
            shell.settle()
    return shell
