"""Steps as a run would record them, for the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from gitcto.model.agent_records import Fault
from gitcto.model.step_records import Step, StepState
from gitcto.plugins import Plugins
from gitcto.policy.strategies import parse_strategy
from gitcto.strategies.records import Finish, GiveUp, Order, Strategy


@dataclass(frozen=True, slots=True)
class Came:
    """What one step came to: a fault's kind, or a verdict and a choice."""

    fault: str = ""
    verdict: str = ""
    chosen: str = ""
    retryable: bool = True
    stale: bool = False
    """Whether it read another patch than the one that is there."""


def begun(order: Order, steps: Sequence[Step], provider: str = "p") -> Step:
    """Return the step that an order starts, which reads what its seats hold."""
    commits = {step.seat: step.commit for step in steps if step.commit}
    return Step(
        number=len(steps) + 1,
        name=order.step,
        role=order.role,
        provider=provider,
        seat=order.seat,
        edits=order.edits,
        asks=order.asks,
        reads={seat: commits[seat] for seat in order.reads},
        session_of=order.session_of,
        why=order.why,
    )


def ended(step: Step, came: Came) -> Step:
    """Return a step at its end."""
    from msgspec.structs import replace

    fault = Fault(kind=came.fault, retryable=came.retryable) if came.fault else None
    return replace(
        step,
        state=StepState.ENDED,
        fault=fault,
        verdict=came.verdict,
        chosen=came.chosen,
        reads=dict.fromkeys(step.reads, "another") if came.stale else step.reads,
        commit=f"{step.seat}-{step.number}" if step.edits and not fault else "",
    )


def outcomes(order: Order, faults: Sequence[str]) -> Iterator[Came]:
    """Yield everything that a step may come to, as far as the engine can tell it apart."""
    yield from (Came(fault=fault) for fault in faults)
    yield Came(fault=faults[0], retryable=False)
    if order.asks == "work":
        yield Came()
        return
    yield Came(verdict="none")
    yield Came(verdict="approve", chosen=order.reads[0], stale=True)
    yield Came(verdict="reject")
    if order.asks == "verdict":
        yield Came(verdict="approve")
    else:
        yield from (Came(verdict="approve", chosen=seat) for seat in (*order.reads, "elsewhere"))


@cache
def shipped() -> dict[str, Strategy]:
    """Return the strategies that git-cto ships."""
    plugins = Plugins.load()
    return {
        name: parse_strategy(plugins.instantiate(each), name, name)
        for name, each in plugins.strategies().items()
    }


def asked(step: Step) -> Order:
    """Return the order that a step was started by, as far as its outcome depends on it."""
    return Order(
        step=step.name,
        role=step.role,
        seat=step.seat,
        edits=step.edits,
        reads=tuple(step.reads),
        given=(),
        asks=step.asks,
        why=step.why,
    )


def must_be_right(strategy: Strategy, steps: list[Step], move: Finish | GiveUp) -> None:
    """Assert what is asked of an end, from the history alone and not as the engine does it."""
    judges = [step for step in strategy.steps if step.judges]
    if isinstance(move, GiveUp):
        assert move.reason in ("step_failed", "no_verdict", "rejected", "unapproved", "no_work")
        return
    last = [step for step in steps if step.seat == move.seat and step.edits and not step.fault][-1]
    for judge in judges:
        if move.seat not in judge.judged:
            continue
        mine = [step for step in steps if step.name == judge.name]
        said = [step for step in mine if step.reads.get(move.seat) == last.commit]
        spoken = [step for step in said if step.verdict in ("approve", "reject") and not step.fault]
        if judge.kind == "adjudicate":
            assert spoken[-1].verdict == "approve"
            assert spoken[-1].chosen == move.seat
        elif spoken:
            assert spoken[-1].verdict == "approve"
        else:
            left_out = [step for step in mine if step.fault]
            assert left_out
            assert any("degrade" in rungs for rungs in judge.failures.values())
    for step in steps:
        if step.fault is not None or step.verdict == "none":
            assert f"{step.name} by {step.provider}: " in move.path
