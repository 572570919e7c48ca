"""What the queue does next. Pure: the same queue, capacity and time give the same actions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from gitcto.queue.actions import Action, Cancel, Eject, Hold, Land, Reject, Start
from gitcto.queue.chances import Chances
from gitcto.queue.order import kept_back, ordered
from gitcto.queue.plan import Planner, exclusive
from gitcto.queue.predict import ChangePredictor
from gitcto.queue.records import Run, RunKind
from gitcto.queue.settings import Settings, adapted
from gitcto.queue.state import Queue, rest
from gitcto.queue.trials import Finding, Trial, confirmations, contains, greens, trials

STUMBLES = 3
"""After this many runs in a row that did not run, the harness is at fault and the queue waits."""

HOPELESS = 5
"""A change whose runs did not run this often goes to a person."""

DEFAULTS = Settings()


def decide(
    queue: Queue,
    capacity: int,
    predictor: ChangePredictor,
    now_ms: int,
    settings: Settings = DEFAULTS,
) -> tuple[Action, ...]:
    """Return what to do now, for at most ``capacity`` runs at once (``now_ms``: milliseconds).

    What ends something comes alone: the shell carries it out, records it, and asks again.
    """
    judged = trials(queue)
    endings = _endings(queue, judged)
    if endings:
        return endings
    if queue.paused:
        return (Hold(items=(), reason="the queue is paused"),)
    green = greens(queue, judged)
    chances = Chances(queue, predictor, green, judged)
    landing = _landing(queue, green, chances)
    if isinstance(landing, Land):
        return (landing,)
    pointless = _pointless(queue, judged, chances)
    if pointless:
        return pointless
    starts = _Starts(queue=queue, judged=judged, chances=chances, settings=settings)
    return (*([landing] if landing else []), *starts.actions(capacity, now_ms))


def _endings(queue: Queue, judged: Sequence[Trial]) -> tuple[Action, ...]:
    ends: dict[str, Action] = {}
    for trial in judged:
        for item_id, own in trial.guilty.items():
            ends[item_id] = Reject(item=item_id, number=trial.run.number, confirmations=own)
    for item_id, times in queue.stumbled.items():
        if times >= HOPELESS and item_id in queue.items and item_id not in ends:
            ends[item_id] = Eject(item=item_id, reason=f"its gates did not run {times} times")
    return tuple(ends[item_id] for item_id in sorted(ends))


def _landing(queue: Queue, green: Sequence[Run], chances: Chances) -> Land | Hold | None:
    """Land the green run on this tip that brings most, or say what it waits for."""
    ready = [
        (run, new)
        for run in green
        if (new := rest(queue, run)) and all(item_id in queue.items for item_id in new)
    ]
    ready.sort(key=lambda one: (-len(one[1]), one[0].number))
    held: Hold | None = None
    for run, new in ready:
        reason = _reason_to_wait(queue, new, chances)
        if not reason:
            return Land(number=run.number, items=new)
        held = held or Hold(items=new, reason=reason)
    return held


def _reason_to_wait(queue: Queue, new: tuple[str, ...], chances: Chances) -> str:
    overtaken = kept_back(queue, new)
    if overtaken:
        return f"{overtaken} must not be overtaken once more"
    for number in sorted(queue.running):
        run = queue.running[number]
        tree = rest(queue, run) if run.kind is RunKind.JUDGE else None
        if not tree or tree[: len(new)] == new:
            continue
        alone = next((item_id for item_id in run.unit if exclusive(queue, item_id)), "")
        if alone:
            return f"{alone} is being judged alone on this tip"
        if chances.of(tree) * len(tree) > len(new):
            return f"run {number} is about to land more on this tip"
    return ""


def _pointless(queue: Queue, judged: Sequence[Trial], chances: Chances) -> tuple[Action, ...]:
    wanted = {trial.run.number for trial in judged if trial.finding is Finding.OPEN}
    reds = [trial.run for trial in judged if trial.finding is Finding.TOGETHER]
    found = []
    for number in sorted(queue.running):
        run = queue.running[number]
        reason = _why_pointless(queue, run, wanted, reds, chances)
        if reason:
            found.append(Cancel(number=number, reason=reason))
    return tuple(found)


def _why_pointless(
    queue: Queue, run: Run, wanted: Collection[int], reds: Sequence[Run], chances: Chances
) -> str:
    on_tip = rest(queue, run) is not None
    if run.kind is RunKind.SWEEP:
        return "" if on_tip else "the target has moved again"
    if run.kind is RunKind.CONFIRM:
        return "" if run.confirms in wanted else "there is nothing left to confirm"
    gone = [i for i in run.tree if i in queue.rejected or i in queue.ejected]
    if gone:
        return f"{gone[0]} has left the queue"
    about = [item_id for item_id in run.unit if item_id in queue.items]
    if not about:
        return "all that it is about has landed"
    if not on_tip and all(item_id in chances.cleared for item_id in about):
        return "the target has moved, and all that it is about was green"
    if len(run.tree) > 1 and any(contains(queue, run, red) for red in reds):
        return "a part of it is red"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Starts:
    queue: Queue
    judged: Sequence[Trial]
    chances: Chances
    settings: Settings

    def actions(self, capacity: int, now_ms: int) -> tuple[Action, ...]:
        """Return the runs to start in the free slots, or why there are none."""
        queue = self.queue
        if queue.stumbles >= STUMBLES:
            reason = f"the gates did not run {queue.stumbles} times in a row"
            return (Hold(items=(), reason=reason),)
        if queue.sound is False:
            return (Hold(items=(), reason="the target is red by itself"),)
        slots = capacity - len(queue.running)
        if queue.sound is None:
            return self._sweep() if slots > 0 else ()
        runs = self._confirmations()[: max(0, slots)]
        if len(runs) < slots:
            planner = Planner(
                queue=replace(queue, runs=queue.runs + len(runs)),
                chances=self.chances,
                settings=adapted(self.settings, queue, self.chances),
                capacity=capacity,
                order=ordered(queue, now_ms),
                busy=self._busy(),
            )
            runs += planner.runs(slots - len(runs))
        return tuple(Start(run=run) for run in runs)

    def _sweep(self) -> tuple[Action, ...]:
        """Judge the tip itself, once: a red on a base that nobody judged is no verdict."""
        queue = self.queue
        if any(run.kind is RunKind.SWEEP for run in queue.running.values()):
            return (Hold(items=(), reason="the target was moved, and is being judged"),)
        return (Start(run=Run(number=queue.runs + 1, kind=RunKind.SWEEP, tip=len(queue.landed))),)

    def _confirmations(self) -> list[Run]:
        runs: list[Run] = []
        for trial in self.judged:
            if trial.finding is Finding.OPEN:
                so_far = replace(self.queue, runs=self.queue.runs + len(runs))
                runs += confirmations(so_far, trial)
        return runs

    def _busy(self) -> set[str]:
        judging = [run for run in self.queue.running.values() if run.kind is RunKind.JUDGE]
        asked = [trial.run for trial in self.judged if trial.finding is Finding.OPEN]
        return {item_id for run in (*judging, *asked) for item_id in run.unit}
