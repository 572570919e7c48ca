"""Why a change has not landed yet, and for how long it may wait: read from a queue's log. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

from gitcto.model import queue_events as ev
from gitcto.model.body import Body
from gitcto.queue.actions import Action, Eject, Hold, Land, Reject, Start
from gitcto.queue.decide import decide
from gitcto.queue.facts import Specs, facts_of, fold_events
from gitcto.queue.order import ordered
from gitcto.queue.plan import exclusive
from gitcto.queue.predict import PlainPredictor
from gitcto.queue.records import Item, Run, RunKind, RunStarted, Verdict
from gitcto.queue.state import Queue, rest

RECENT = 20
"""Of so many last runs the median says how long the next one takes."""

Log = Sequence[tuple[int, Body]]
"""A queue's events from its ``queue.opened`` on, each with its time in milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A run and what became of it; ``verdict`` is empty while it is under way.

    ``onto`` is the commit at the target, ``tree`` what was judged, ``failed`` names what was red
    in it as ``gate:test``, or ``gate:`` where a gate names no tests. Times are milliseconds since
    the epoch.
    """

    run: Run
    onto: str
    started_ms: int
    ended_ms: int = 0
    verdict: str = ""
    tree: str = ""
    executed: int = 0
    failed: tuple[str, ...] = ()
    reason: str = ""

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests that failed, where they are named."""
        return tuple(name for name in self.failed if not name.endswith(":"))


def judgements(log: Log) -> dict[int, Judgement]:
    """Return every run of a log by its number."""
    found: dict[int, Judgement] = {}
    for ts, body in log:
        if isinstance(body, ev.QueueRunStarted):
            for fact in facts_of(body, {}):
                if isinstance(fact, RunStarted):
                    found[body.number] = Judgement(run=fact.run, onto=body.onto, started_ms=ts)
        elif isinstance(body, ev.QueueRunEnded) and body.number in found:
            found[body.number] = replace(
                found[body.number],
                ended_ms=ts,
                verdict=body.verdict,
                tree=body.tree,
                executed=body.executed,
                failed=body.failed,
                reason=body.reason,
            )
    return found


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A queue at one moment. ``specs`` gives the task of each execution."""

    queue: Queue
    runs: Mapping[int, Judgement]
    specs: Specs
    capacity: int
    now_ms: int

    @cached_property
    def order(self) -> list[Item]:
        """All that waits, first what goes first."""
        return ordered(self.queue, self.now_ms)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """What the scheduler would do now, with the default predictor."""
        return decide(self.queue, self.capacity, PlainPredictor(), self.now_ms)

    def position(self, item_id: str) -> int:
        """Return a change's place in the queue, from 1; 0 when it is not in it."""
        return next((n for n, item in enumerate(self.order, 1) if item.id == item_id), 0)

    def last(self, item_id: str) -> Judgement | None:
        """Return the newest run about a change that said something."""
        said = [
            one
            for number, one in sorted(self.runs.items())
            if item_id in one.run.unit and one.verdict not in {"", "cancelled"}
        ]
        return said[-1] if said else None

    def green_trees(self, item_id: str) -> set[str]:
        """Return the trees with a change that were judged green and whose run still counts."""
        ended = (self.runs.get(number) for number in self.queue.ended)
        return {
            one.tree for one in ended if one and one.verdict == "green" and item_id in one.run.tree
        }

    def is_green(self, item_id: str) -> bool:
        """Tell whether a change was green in a tree that could land now."""
        return any(
            one.verdict is Verdict.GREEN and item_id in (rest(self.queue, one.run) or ())
            for one in self.queue.ended.values()
            if one.run.kind is RunKind.JUDGE
        )

    def named(self, text: str) -> str:
        """Return a text with tasks in the place of executions."""
        for item_id in self.queue.known:
            text = text.replace(item_id, self.task(item_id))
        return text

    def task(self, item_id: str) -> str:
        """Return the id of an execution's task."""
        spec = self.specs.get(item_id)
        return spec.id if spec else item_id

    def tasks(self, item_ids: Iterable[str]) -> str:
        """Return the tasks of executions as one text."""
        return ", ".join(map(self.task, item_ids))


def situation(
    log: Log, specs: Specs, live: Collection[str], capacity: int, now_ms: int
) -> Situation:
    """Return the queue that a log leads to; what is not ``live`` has left it without its doing.

    Raises ``ValueError`` and ``KeyError`` as :func:`gitcto.queue.facts.fold_events` does.
    """
    queue = fold_events((body for _, body in log), specs)
    here = {item_id: item for item_id, item in queue.items.items() if item_id in live}
    return Situation(
        queue=replace(queue, items=here),
        runs=judgements(log),
        specs=specs,
        capacity=capacity,
        now_ms=now_ms,
    )


def waits_for(s: Situation, item_id: str) -> str:
    """Return what must happen before a waiting change gets any further."""
    if s.queue.paused:
        return "resume: the queue is paused"
    return (
        _about_to_end(s, item_id)
        or _under_way(s, item_id)
        or _held(s, item_id)
        or _in_line(s, item_id)
    )


def _about_to_end(s: Situation, item_id: str) -> str:
    for action in s.actions:
        match action:
            case Reject(item=found, number=number) if found == item_id:
                return f"its rejection: run {number} of it alone was red, again and again"
            case Eject(item=found, reason=reason) if found == item_id:
                return f"its ejection: {s.named(reason)}"
            case Land(number=number, items=items) if item_id in items:
                return f"its landing, with run {number}"
    return ""


def _under_way(s: Situation, item_id: str) -> str:
    for number, run in sorted(s.queue.running.items()):
        if run.kind is RunKind.CONFIRM and item_id in run.unit:
            return f"run {number}, which runs what was red in run {run.confirms} again"
    for number, run in sorted(s.queue.running.items()):
        if run.kind is RunKind.JUDGE and item_id in run.unit:
            return f"run {number}, which judges it{_company(s, run, item_id)}"
    for number, run in sorted(s.queue.running.items()):
        if run.kind is RunKind.JUDGE and item_id in run.prefix:
            return f"run {number}, which takes it along"
    return ""


def _company(s: Situation, run: Run, item_id: str) -> str:
    others = [other for other in run.unit if other != item_id]
    beside = f" with {s.tasks(others)}" if others else ""
    return beside + (f" on top of {s.tasks(run.prefix)}" if run.prefix else "")


def _held(s: Situation, item_id: str) -> str:
    for action in s.actions:
        if isinstance(action, Hold) and item_id in action.items:
            return s.named(action.reason)
    for action in s.actions:
        if isinstance(action, Hold) and not action.items:
            return _everything(s, action.reason)
    return ""


def _everything(s: Situation, reason: str) -> str:
    """Return what everybody waits for: a sweep of a moved target, or else a person."""
    if s.queue.sound is None:
        sweeps = [n for n, run in s.queue.running.items() if run.kind is RunKind.SWEEP]
        return f"run {sweeps[0]}, a sweep: {reason}" if sweeps else f"a sweep: {reason}"
    return f"a person: {reason}"


def _in_line(s: Situation, item_id: str) -> str:
    for action in s.actions:
        if isinstance(action, Start) and item_id in action.run.tree:
            return f"run {action.run.number}, which starts next"
        if isinstance(action, Start) and action.run.kind is RunKind.SWEEP:
            return "a sweep: the target was moved by somebody else"
    alone = [
        other for run in s.queue.running.values() for other in run.unit if exclusive(s.queue, other)
    ]
    if alone and exclusive(s.queue, item_id):
        return f"{s.tasks(alone)}, which is judged alone"
    if s.green_trees(item_id):
        return "the next run, which takes it along: it was green on a target that has moved"
    ahead = len(_ahead(s, item_id))
    return f"a slot: {ahead} {'goes' if ahead == 1 else 'go'} before it" if ahead else "a slot"


def _ahead(s: Situation, item_id: str) -> list[Item]:
    """Return what goes before a change and is not being judged."""
    busy = {other for run in s.queue.running.values() for other in run.tree}
    before = s.order[: max(0, s.position(item_id) - 1)]
    return [item for item in before if item.id not in busy]


def estimate_ms(s: Situation, item_id: str) -> int | None:
    """Return in how many milliseconds a change may land; None when nothing is known.

    It is the median of the last runs, times the batches that go before it, if all goes well.
    """
    took = [
        one.ended_ms - one.started_ms
        for _, one in sorted(s.runs.items())
        if one.run.kind is RunKind.JUDGE and one.verdict in {"green", "red"}
    ][-RECENT:]
    stopped = s.queue.paused or any(
        isinstance(action, Hold) and not action.items for action in s.actions
    )
    if not took or stopped:
        return None
    one_run = sorted(took)[len(took) // 2]
    left = {
        number: max(0, one_run - (s.now_ms - s.runs[number].started_ms))
        for number, run in s.queue.running.items()
        if number in s.runs
    }
    mine = [left[n] for n, run in s.queue.running.items() if n in left and item_id in run.tree]
    if mine:
        return min(mine)
    full = len(s.queue.running) >= s.capacity
    return (min(left.values(), default=0) if full else 0) + _batches(s, item_id) * one_run


def _batches(s: Situation, item_id: str) -> int:
    """Return how many rounds of runs it takes until a change was in one."""
    ahead = _ahead(s, item_id)
    alone = sum(exclusive(s.queue, item.id) for item in ahead)
    if exclusive(s.queue, item_id):
        return alone + 1
    units = [len(one.run.unit) for one in s.runs.values() if one.run.kind is RunKind.JUDGE]
    together = s.capacity * sum(units) / len(units) if units else s.capacity
    return alone + ceil((len(ahead) - alone + 1) / together)
