"""Deciding and evolving the circuits of providers. Pure.

A circuit opens in the transaction that ends the run which met the fault, so there is no moment in
which another run could begin. When its time is over one attempt may try: it closes the circuit by
working, and opens it for twice as long by failing.
"""

from __future__ import annotations

from msgspec.structs import replace

from gitcto.model.agent_records import Fault
from gitcto.model.circuit_commands import CircuitCommand, CloseCircuit, OpenCircuit
from gitcto.model.circuit_events import (
    CircuitClosed,
    CircuitEventBody,
    CircuitOpened,
    CircuitProbed,
)
from gitcto.model.circuit_records import Circuit, is_passing, is_terminal
from gitcto.model.commands import Refusal
from gitcto.model.records import WORKING_STATES, Team
from gitcto.model.view import StateView

MAX_PARKED_MS = 24 * 3600 * 1000
"""The longest that a circuit is opened for because its probes failed (milliseconds)."""

_RULE = "model.circuit"


def refused(view: StateView, provider: str, execution: str, now_ms: int) -> Refusal | None:
    """Return why an execution may not run an agent of a provider now, or None."""
    circuit = view.team.circuits.get(provider) if view.team else None
    if circuit is None or circuit.probe == execution:
        return None
    why = f"it is parked ({circuit.reason}: {circuit.detail})"
    if circuit.refuses(now_ms):
        return Refusal("circuit_open", _RULE, f"{why}, {_left(circuit, now_ms)}")
    if probing(view, provider, circuit):
        return Refusal("circuit_probed", _RULE, f"{why}, {circuit.probe} tries it")
    return None


def _left(circuit: Circuit, now_ms: int) -> str:
    if not circuit.until_ms:
        return "until a person closes it"
    return f"for {-(-(circuit.until_ms - now_ms) // 1000)} s more"


def resting(view: StateView, provider: str, execution: str, now_ms: int) -> str:
    """Return in a line why an execution may not use a provider now, or nothing."""
    refusal = refused(view, provider, execution, now_ms)
    return "" if refusal is None else refusal.detail


def probing(view: StateView, provider: str, circuit: Circuit) -> bool:
    """Tell whether the probe of a circuit is under way: it works, and runs its provider's agent."""
    probe = view.execution(circuit.probe) if circuit.probe else None
    if probe is None or probe.state not in WORKING_STATES:
        return False
    return any(step.runs and step.provider == provider for step in probe.steps)


def entered(view: StateView, provider: str, execution: str) -> tuple[CircuitEventBody, ...]:
    """Return what is recorded of a circuit when a run that it does not refuse begins."""
    circuit = view.team.circuits.get(provider) if view.team else None
    if circuit is None or circuit.probe == execution:
        return ()
    return (CircuitProbed(provider=provider, execution=execution),)


def left(
    view: StateView, provider: str, execution: str, fault: Fault | None, now_ms: int
) -> tuple[CircuitEventBody, ...]:
    """Return what is recorded of a circuit when a run of a provider's agent ends.

    What a run meets that began before the circuit opened tells nothing new, but for a later time.
    """
    circuit = view.team.circuits.get(provider) if view.team else None
    probed = circuit is not None and circuit.probe == execution
    if fault is None:
        return (CircuitClosed(provider=provider, execution=execution),) if probed else ()
    if not (is_terminal(fault) or (probed and is_passing(fault))):
        return ()
    said = now_ms + fault.retry_after_s * 1000 if fault.retry_after_s else 0
    opened = CircuitOpened(
        provider=provider,
        reason=fault.kind,
        detail=fault.detail or fault.provider_code or "the provider gives no reason",
        until_ms=said,
        times=1,
        execution=execution,
    )
    if circuit is None:
        return (opened,)
    if probed:
        return (_longer(opened, circuit, now_ms),)
    if said and circuit.until_ms and said > circuit.until_ms:
        return (_replaced(opened, said, circuit.times),)
    return ()


def _longer(opened: CircuitOpened, circuit: Circuit, now_ms: int) -> CircuitOpened:
    before_ms = max(0, circuit.until_ms - circuit.opened_ms)
    doubled = now_ms + min(2 * before_ms, MAX_PARKED_MS) if before_ms else 0
    return _replaced(opened, max(opened.until_ms, doubled), circuit.times + 1)


def _replaced(opened: CircuitOpened, until_ms: int, times: int) -> CircuitOpened:
    return replace(opened, until_ms=until_ms, times=times)


def decide_circuit(
    team: Team, command: CircuitCommand, now_ms: int
) -> tuple[CircuitEventBody, ...] | Refusal:
    """Return the events of what a person says of a circuit; the same again changes nothing."""
    circuit = team.circuits.get(command.provider)
    if isinstance(command, CloseCircuit):
        if circuit is None:
            return ()
        return (CircuitClosed(provider=command.provider, by=command.by),)
    if command.until_ms and command.until_ms <= now_ms:
        return Refusal("bad_time", _RULE, "that time is over already")
    return _by_a_person(circuit, command)


def _by_a_person(circuit: Circuit | None, c: OpenCircuit) -> tuple[CircuitEventBody, ...]:
    said = ("person", c.detail, c.until_ms)
    if circuit is not None and (circuit.reason, circuit.detail, circuit.until_ms) == said:
        return ()
    opened = CircuitOpened(
        provider=c.provider,
        reason="person",
        detail=c.detail,
        until_ms=c.until_ms,
        times=1,
        by=c.by,
    )
    return (opened,)


def evolve_circuit(team: Team, event: CircuitEventBody, ts: int) -> tuple[Team]:
    """Return the team with the circuit that an event changes."""
    circuits = dict(team.circuits)
    match event:
        case CircuitOpened():
            circuits[event.provider] = Circuit(
                reason=event.reason,
                detail=event.detail,
                opened_ms=ts,
                until_ms=event.until_ms,
                times=event.times,
                execution=event.execution,
            )
        case CircuitProbed():
            before = circuits.get(event.provider)
            if before is not None:
                circuits[event.provider] = replace(before, probe=event.execution)
        case CircuitClosed():
            circuits.pop(event.provider, None)
    return (replace(team, circuits=circuits),)
