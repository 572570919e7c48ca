"""Steps as a run would record them, for the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gitcto.model.agent_records import Fault
from gitcto.strategies.records import Order, Strategy


@dataclass(frozen=True, slots=True)
class Came:
    """What one step came to: a fault's kind, or a verdict and a choice."""

    fault: str = ""
    verdict: str = ""
    chosen: str = ""
    retryable: bool = True
    change: str = ""


@dataclass(frozen=True, slots=True)
class Did:
    """A step of a history."""

    number: int
    name: str
    provider: str = "p"
    state: str = "ended"
    fault: Fault | None = None
    verdict: str = ""
    change: str = ""
    chosen: str = ""


def did(order: Order, number: int, came: Came, provider: str = "p") -> Did:
    fault = Fault(kind=came.fault, retryable=came.retryable) if came.fault else None
    return Did(
        number,
        order.step,
        provider,
        fault=fault,
        verdict=came.verdict,
        change=came.change,
        chosen=came.chosen,
    )


def running(order: Order, number: int) -> Did:
    return Did(number, order.step, state="running")


def outcomes(order: Order, faults: Sequence[str], seats: Sequence[str]) -> Iterator[Came]:
    """Yield everything that a step may come to."""
    yield from (Came(fault=fault) for fault in faults)
    yield from (Came(fault=fault, retryable=False) for fault in faults[:1])
    if order.asks == "work":
        yield Came()
    elif order.asks == "verdict":
        yield from (Came(verdict=verdict) for verdict in ("approve", "reject", "none"))
    else:
        yield from (Came(verdict=verdict) for verdict in ("reject", "none"))
        yield from (Came(verdict="approve", chosen=seat) for seat in (*seats, "elsewhere"))


def shipped() -> dict[str, Strategy]:
    from gitcto.plugins import Plugins
    from gitcto.policy.strategies import parse_strategy

    plugins = Plugins.load()
    return {
        name: parse_strategy(plugins.instantiate(each), name, name)
        for name, each in plugins.strategies().items()
    }
