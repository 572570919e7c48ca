"""Gates on a candidate: those of a set at the same time, and each gives one verdict."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from gitcto.policy.gates import required_gates
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.judged import Judged, Known, Only
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.toolchain import DEADLINE_S as TOOLCHAIN_S
from gitcto.runtime.proving.gate_runs import CANCELLED, GRACE_S, IDLE_S, GateRun

SET_S = TOOLCHAIN_S + GRACE_S + IDLE_S + 300.0
"""What a set of gates gets beyond its longest deadline, for tools and files (seconds)."""

ABANDON_S = IDLE_S + 30.0
"""How long after its end was asked for a gate is waited for (seconds)."""

LOOK_S = 0.1
"""How often is looked whether gates are to be stopped (seconds)."""


def judge_change(
    context: Context, candidate: Candidate, known: Known, *, stop: threading.Event | None = None
) -> list[Judged]:
    """Ask the gates of the change's tier that judge changes.

    :param stop: ends their commands once it is set; those under way are ``not_run``, ``cancelled``.
    """
    names = _named(context, [candidate], "change")
    runs = [GateRun(context=context, candidate=candidate, name=name) for name in names]
    return _judge(runs, known, stop)


def judge_tree(
    context: Context,
    candidates: Sequence[Candidate],
    known: Known,
    only: Only,
    *,
    stop: threading.Event | None = None,
) -> list[Judged]:
    """Ask the gates that judge trees, of all tiers of the changes that lead to the last one's.

    :param only: when not empty, these gates alone, and of each these tests; nothing is reused.
    :param stop: ends their commands once it is set; those under way are ``not_run``, ``cancelled``.
    """
    names = _named(context, candidates, "tree")
    if only:
        names = [name for name in names if name in only]
    last = candidates[-1]
    runs = [
        GateRun(context=context, candidate=last, name=name, only=only.get(name, ()))
        for name in names
    ]
    return _judge(runs, {} if only else known, stop)


def _named(context: Context, candidates: Sequence[Candidate], judges: str) -> list[str]:
    """Return the gates that the tiers demand, in policy's order; unknown plugins judge trees."""
    names: dict[str, None] = {}
    offered = context.plugins.gates()
    for candidate in candidates:
        for name in required_gates(context.policy, candidate.task.spec.tier):
            registered = offered.get(context.policy.gates[name].plugin)
            about = registered.descriptor.judges if registered else "tree"
            if about == judges:
                names[name] = None
    return list(names)


def _judge(runs: Sequence[GateRun], known: Known, stop: threading.Event | None) -> list[Judged]:
    """Ask all at the same time, and return their verdicts in the order of the questions."""
    ended: _Ended = queue.SimpleQueue()
    watch = _Watch(runs, stop)
    watch.given_up(runs)
    for run in runs:
        threading.Thread(
            target=_posting(run, known, ended), name=f"gate {run.name}", daemon=True
        ).start()
    found: dict[str, Judged] = {}
    while len(found) < len(runs):
        pending = [run for run in runs if run.name not in found]
        for run in watch.given_up(pending):
            found[run.name] = run.gave_up()
        try:
            name, outcome = ended.get(timeout=LOOK_S)
        except queue.Empty:
            continue
        if isinstance(outcome, BaseException):
            watch.end(pending, CANCELLED)
            raise outcome
        found[name] = outcome
    return [found[run.name] for run in runs]


_Ended = queue.SimpleQueue[tuple[str, Judged | BaseException]]


def _posting(run: GateRun, known: Known, ended: _Ended) -> Callable[[], None]:
    def post() -> None:
        try:
            ended.put((run.name, run.judge(known)))
        except BaseException as error:  # noqa: BLE001  # a bug of ours, for the one who waits
            ended.put((run.name, error))

    return post


class _Watch:
    """Ends a set of gates when it is told to, or when the set's time is over."""

    def __init__(self, runs: Sequence[GateRun], stop: threading.Event | None) -> None:
        self._clock = runs[0].context.effects.monotonic_s if runs else lambda: 0.0
        self._over_s = self._clock() + SET_S + max((run.deadline_s for run in runs), default=0.0)
        self._stop = stop
        self._asked_s: float | None = None

    def given_up(self, pending: Sequence[GateRun]) -> list[GateRun]:
        """End what is pending if that is due; return it once it does not end."""
        now_s = self._clock()
        if self._asked_s is None:
            cancelled = self._stop is not None and self._stop.is_set()
            if cancelled or now_s > self._over_s:
                self.end(pending, CANCELLED if cancelled else "deadline")
                self._asked_s = now_s
        elif now_s > self._asked_s + ABANDON_S:
            return list(pending)
        return []

    def end(self, pending: Sequence[GateRun], reason: str) -> None:
        """Ask for the end of all that is pending."""
        for run in pending:
            with suppress(OSError):
                run.stop.ask(reason)
