"""What each event does to what a check remembers; see :mod:`gitcto.testing.invariants.seen`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gitcto.model import effect_events as fx
from gitcto.model import events as ev
from gitcto.model import queue_events as qe
from gitcto.model.agent_records import Usage
from gitcto.model.circuit_events import CircuitClosed, CircuitOpened, CircuitProbed
from gitcto.model.codec import Event
from gitcto.model.lease_events import StopAsked, WorkAdopted
from gitcto.model.outside_events import OutsideChanged
from gitcto.model.records import TaskState
from gitcto.model.step_events import StepEnded, StepStarted
from gitcto.testing.invariants.seen import CircuitSeen, ExecutionSeen, Seen, TaskSeen, clone_of
from gitcto.testing.invariants.steps import take_step

_PROVIDERS_OWN = frozenset({"auth", "quota", "rate", "model", "timeout", "protocol", "killed"})


def take(seen: Seen, event: Event) -> None:
    """Move on over one event, whatever it is."""
    rule = _RULES.get(type(event.body))
    if rule is not None:
        rule(seen, event.body)


def _added(seen: Seen, e: ev.TaskAdded) -> None:
    seen.tasks[e.task.id] = TaskSeen(needs=e.task.depends_on)


def _ended(seen: Seen, task_id: str, how: str) -> None:
    task = seen.tasks.get(task_id)
    if task is not None:
        task.ended = how


def _lives(seen: Seen, task_id: str) -> bool:
    return task_id in seen.tasks and seen.tasks[task_id].execution in seen.live


def _requeued(seen: Seen, e: ev.TaskRequeued) -> None:
    _ended(seen, e.task, "")
    if e.task in seen.tasks:
        seen.tasks[e.task].unlucky = 0


def _leased(seen: Seen, e: ev.ExecutionLeased) -> None:
    task = seen.tasks.get(e.task)
    if task is not None:
        task.epoch, task.attempts, task.execution = e.epoch, e.attempt, e.execution
    seen.executions[e.execution] = ExecutionSeen(
        task=e.task, epoch=e.epoch, holder=e.holder, base=e.base, expires_ms=e.expires_ms
    )
    seen.live[e.execution] = None
    seen.nonces.add(e.nonce)


def _renewed(seen: Seen, e: ev.LeaseRenewed) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        x.expires_ms = e.expires_ms


def _taken(seen: Seen, e: ev.LeaseTaken) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        x.holder, x.expires_ms = e.holder, e.expires_ms


def _harvested(seen: Seen, e: ev.WorkHarvested) -> None:
    x = seen.executions.get(e.execution)
    at = clone_of(x.holder) if x is not None else ""
    seen.move(e.execution, "harvested", work=e.commit, changed=e.changed, at=at)


def _preserved(seen: Seen, e: ev.WorkPreserved) -> None:
    x = seen.executions.get(e.execution)
    if x is not None and not e.seat:
        x.kept[e.ref] = e.commit
    if x is not None:
        x.given_up.pop(e.ref, None)


def _discarded(seen: Seen, e: ev.WorkDiscarded) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        x.given_up[e.ref] = e.commit
        x.kept.pop(e.ref, None)


def _outside(seen: Seen, e: OutsideChanged) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        x.blocked |= e.blocking


def _judged(seen: Seen, e: ev.GateJudged) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        x.verdicts[e.verdict.gate] = e.verdict


def _asked(seen: Seen, e: qe.ApprovalRequested) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        x.asked, x.needed, x.approved, x.denied = e.change, e.needed, set(), False


def _granted(seen: Seen, e: qe.ApprovalGranted) -> None:
    x = seen.executions.get(e.execution)
    if x is not None and e.change == x.asked:
        x.approved.add(e.by)


def _denied(seen: Seen, e: qe.ApprovalDenied) -> None:
    x = seen.executions.get(e.execution)
    if x is not None and e.change == x.asked:
        x.denied = True


def _intended(seen: Seen, e: ev.LandingIntended) -> None:
    seen.move(e.execution, "intended", landing=e.landing)
    if seen.swaps.get(e.landing.new) != "done":
        seen.swaps[e.landing.new] = "intended"
    seen.known_tips.add(e.landing.old)


def _abandoned(seen: Seen, e: ev.LandingAbandoned) -> None:
    x = seen.executions.get(e.execution)
    kept = {gate: v for gate, v in x.verdicts.items() if v.change} if x is not None else {}
    if x is not None and x.landing is not None and seen.swaps.get(x.landing.new) == "intended":
        seen.swaps[x.landing.new] = "abandoned"
    seen.move(e.execution, "harvested", landing=None, verdicts=kept)


def _done(seen: Seen, e: ev.LandingDone) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        _ended(seen, x.task, "done")
        if x.landing is not None:
            seen.swaps[x.landing.new] = "done"
    seen.landed[e.commit] = e.execution
    seen.move(e.execution, "over", done=True)


def _failed(seen: Seen, e: ev.ExecutionFailed) -> None:
    x = seen.executions.get(e.execution)
    task = seen.tasks.get(x.task) if x is not None else None
    if task is not None:
        task.ended = {TaskState.BLOCKED: "blocked", TaskState.FAILED_TERMINAL: "failed"}.get(
            e.then, ""
        )
        task.unlucky += not e.charged and e.fault not in _PROVIDERS_OWN
        seen.wasted += not e.charged
    if x is not None:
        for number in tuple(x.running):
            _run_ended(seen, x, number, Usage())
    seen.move(e.execution, "over", reason=e.reason)


def _step_started(seen: Seen, e: StepStarted) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        x.running[e.number] = e.provider
    take_step(seen, e)


def _step_ended(seen: Seen, e: StepEnded) -> None:
    x = seen.executions.get(e.execution)
    if x is not None:
        _run_ended(seen, x, e.number, e.usage)
    take_step(seen, e)


def _run_ended(seen: Seen, x: ExecutionSeen, number: int, usage: Usage) -> None:
    provider = x.running.pop(number, "")
    runs, tokens, micros = seen.used.get(provider, (0, 0, 0))
    more = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens + usage.output_tokens
    x.tokens += more
    seen.used[provider] = (runs + 1, tokens + more, micros + (usage.cost_micros or 0))


def _opened(seen: Seen, e: CircuitOpened) -> None:
    seen.circuits[e.provider] = CircuitSeen(until_ms=e.until_ms)


def _probed(seen: Seen, e: CircuitProbed) -> None:
    known = seen.circuits.get(e.provider)
    if known is not None:
        seen.circuits[e.provider] = replace(known, probe=e.execution)


_RULES: Mapping[type, Callable[[Seen, Any], object]] = {
    ev.TeamCreated: lambda seen, e: setattr(seen, "target", e.target),
    ev.TeamModeChanged: lambda seen, e: setattr(seen, "mode", e.mode),
    ev.TaskAdded: _added,
    ev.TaskBlocked: lambda seen, e: _ended(seen, e.task, "blocked"),
    ev.TaskRequeued: _requeued,
    ev.ExecutionLeased: _leased,
    ev.LeaseRenewed: _renewed,
    ev.LeaseTaken: _taken,
    ev.ExecutionStarted: lambda seen, e: seen.move(e.execution, "started"),
    ev.ExecutionExited: lambda seen, e: seen.move(e.execution, "exited"),
    WorkAdopted: lambda seen, e: seen.move(e.execution, "exited"),
    StopAsked: lambda seen, e: _ended(seen, e.task, "" if _lives(seen, e.task) else "blocked"),
    ev.WorkHarvested: _harvested,
    ev.WorkPreserved: _preserved,
    ev.WorkDiscarded: _discarded,
    OutsideChanged: _outside,
    ev.GateJudged: _judged,
    ev.LandingIntended: _intended,
    ev.LandingAbandoned: _abandoned,
    ev.LandingDone: _done,
    ev.ExecutionFailed: _failed,
    StepStarted: _step_started,
    StepEnded: _step_ended,
    CircuitOpened: _opened,
    CircuitProbed: _probed,
    CircuitClosed: lambda seen, e: seen.circuits.pop(e.provider, None),
    qe.ApprovalRequested: _asked,
    qe.ApprovalGranted: _granted,
    qe.ApprovalDenied: _denied,
    qe.QueueTargetMoved: lambda seen, e: seen.known_tips.add(e.commit),
    qe.QueueRunStarted: lambda seen, e: seen.known_tips.add(e.onto),
    fx.EffectIntended: lambda seen, e: seen.effects.update({e.key: "intended"}),
    fx.EffectConfirmed: lambda seen, e: seen.effects.update({e.key: "confirmed"}),
    fx.EffectRefused: lambda seen, e: seen.effects.update({e.key: "refused"}),
    fx.EffectUnclear: lambda seen, e: seen.effects.update({e.key: "unclear"}),
    fx.EffectResolved: lambda seen, e: seen.effects.update(
        {e.key: "confirmed" if e.done else "released"}
    ),
    qe.QueuePaused: lambda seen, _: setattr(seen, "queue_paused", True),
    qe.QueueResumed: lambda seen, _: setattr(seen, "queue_paused", False),
}
