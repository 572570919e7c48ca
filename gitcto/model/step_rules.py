"""Deciding and evolving the steps of an execution. Pure.

An execution runs its steps while it is dispatching or executing. What it leaves is not taken up
while one of them runs, and when some of them judged a change, nothing else than a change that the
last approval read.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import asdict, replace

from gitcto.model import circuit_rules
from gitcto.model.agent_records import Usage
from gitcto.model.circuit_events import CircuitEventBody
from gitcto.model.commands import RecordHarvest, Refusal
from gitcto.model.events import ExecutionFailed
from gitcto.model.records import MAX_WORKERS, WORKING_STATES, Execution, Record, TaskState
from gitcto.model.spending_evolve import charged
from gitcto.model.step_commands import EndStep, StartStep, StepOutcome
from gitcto.model.step_events import StepEnded, StepEventBody, StepStarted
from gitcto.model.step_records import MAX_FINDINGS, Step, StepState
from gitcto.model.view import StateView

Answer = tuple[StepEventBody | CircuitEventBody, ...] | Refusal

_RULE = "model.steps"
_NOTHING = Usage()
UNAPPROVED = "unapproved"
"""Code of a refusal: what would be taken up is not what the last approval read."""


def running(execution: Execution) -> tuple[Step, ...]:
    """Return the steps that run now, or are about to."""
    return tuple([step for step in execution.steps if step.runs])


def authors(x: Execution) -> tuple[str, ...]:
    """Return the providers that wrote what an execution has: none of them may judge it."""
    return tuple(dict.fromkeys(step.provider for step in x.steps if step.edits))


def workers(executions: Iterable[Execution]) -> int:
    """Return how many workers executions have, or are about to have.

    One whose next step nobody may do for now has none: it keeps nobody else from working.
    """
    working = (x for x in executions if x.state in WORKING_STATES)
    return sum(len(running(x)) if x.steps else 1 for x in working)


def decide_step(view: StateView, x: Execution, command: StepOutcome, now_ms: int) -> Answer:
    """Return the events of a command about a step that quotes the task's current token."""
    if x.state not in WORKING_STATES or x.exit:
        detail = f"execution {x.id} is {x.state}, not dispatching or executing"
        return Refusal("wrong_state", "model.states", detail)
    if isinstance(command, StartStep):
        return _start(view, x, command, now_ms)
    return _end(view, x, command, now_ms)


def _start(view: StateView, x: Execution, c: StartStep, now_ms: int) -> Answer:
    if c.number != len(x.steps) + 1:
        detail = f"{x.id} has {len(x.steps)} steps, this would be {c.number}"
        return Refusal("out_of_order", _RULE, detail)
    if any(step.seat == c.seat for step in running(x)):
        return Refusal("seat_taken", _RULE, f"a step runs in seat {c.seat} of {x.id}")
    if c.provider and c.decision is not None and c.decision.verdict != "allow":
        return Refusal("denied", c.decision.rule, c.decision.reason)
    parked = circuit_rules.refused(view, c.provider, x.id, now_ms)
    if parked is not None:
        return parked
    if x.over is not None:
        return Refusal("over_budget", x.over.rule, x.over.reason)
    others = (each for each in view.live() if each.id != x.id)
    live, limit = workers(others) + len(running(x)), min(c.max_workers, MAX_WORKERS)
    if live >= limit:
        return Refusal("no_capacity", "model.max_workers", f"{live} of {limit} workers are live")
    fields = asdict(c)
    del fields["max_workers"]
    started = StepStarted(**{**fields, "decision": c.decision})
    return (started, *circuit_rules.entered(view, c.provider, x.id))


def _end(view: StateView, x: Execution, c: EndStep, now_ms: int) -> Answer:
    step = next((each for each in running(x) if each.number == c.number), None)
    if step is None:
        return Refusal("not_running", _RULE, f"step {c.number} of {x.id} does not run")
    problem = _problem(step, c)
    if problem:
        return Refusal("bad_step", _RULE, f"step {c.number} of {x.id} {problem}")
    fields = {name: getattr(c, name) for name in c.__struct_fields__}
    # msgspec leaves out what *is* a default, not what equals it.
    fields["usage"] = _NOTHING if c.usage == _NOTHING else c.usage
    circuit = circuit_rules.left(view, step.provider, x.id, c.fault, now_ms)
    return (StepEnded(**fields), *circuit)


def _problem(step: Step, c: EndStep) -> str:
    if step.edits and (c.verdict or c.chosen):
        return "edits, so it judges nothing"
    if not step.edits and c.commit:
        return "only reads, so it leaves nothing"
    if c.verdict == "approve" and (c.fault is not None or not c.change):
        return "approves of no change"
    if c.chosen and c.chosen not in step.reads:
        return f"has read nothing of seat {c.chosen}"
    if len(c.findings) > MAX_FINDINGS:
        return f"found more than {MAX_FINDINGS} characters"
    return ""


def refused_harvest(x: Execution, c: RecordHarvest) -> Refusal | None:
    """Return why what an execution left cannot be taken up because of its steps, or None."""
    if running(x):
        names = ", ".join(step.name for step in running(x))
        return Refusal("step_running", _RULE, f"{names} of {x.id} runs")
    if not any(step.verdict for step in x.steps):
        return None
    approvals = [step for step in x.steps if step.verdict == "approve"]
    if approvals and approvals[-1].change == c.change:
        return None
    said = f"approved was {approvals[-1].change[:12]}" if approvals else "no step approved of it"
    return Refusal(UNAPPROVED, _RULE, f"{x.task} would be change {c.change[:12]}: {said}")


def evolve_step(view: StateView, event: StepEventBody, ts: int) -> tuple[Record, ...]:
    """Return what an event about a step replaces: its execution, and what was used in all."""
    x = view.execution(event.execution)
    if x is None:
        return ()
    if isinstance(event, StepStarted):
        begun = Step(
            **{name: getattr(event, name) for name in _SHARED if name in _OF_START},
            started_ms=ts,
        )
        return (replace(x, steps=(*x.steps, begun)),)
    now, task = ended(x, event, ts), view.task(x.task)
    if view.team is None or task is None:
        return (now,)
    known = (step for step, before in zip(now.steps, x.steps, strict=True) if step is not before)
    return (*charged(view.team, task, known), now)


def ended(x: Execution, end: StepEnded | EndStep, ts: int) -> Execution:
    """Return an execution in which a step has ended."""
    changes = {name: getattr(end, name) for name in _SHARED if name not in _OF_START}
    steps = tuple(
        replace(step, state=StepState.ENDED, ended_ms=ts, **changes)
        if step.number == end.number
        else step
        for step in x.steps
    )
    return replace(x, steps=steps)


def over(x: Execution, failed: ExecutionFailed, ts: int) -> Execution:
    """Return an execution that failed, and its steps with it."""
    return replace(
        x,
        state=TaskState.FAILED,
        steps=closed(x.steps, ts),
        reason=failed.reason,
        detail=failed.detail,
        evidence=failed.evidence,
    )


def closed(steps: tuple[Step, ...], ts: int) -> tuple[Step, ...]:
    """Return the steps of an execution that is over: all of them have ended."""
    return tuple(
        replace(step, state=StepState.ENDED, ended_ms=ts) if step.runs else step for step in steps
    )


_OF_START = frozenset(StepStarted.__struct_fields__)
_SHARED = frozenset(Step.__struct_fields__) & (_OF_START | frozenset(StepEnded.__struct_fields__))
"""Fields of a step that its two events bring."""
