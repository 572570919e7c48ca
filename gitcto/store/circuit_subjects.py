"""What happened to the circuits of providers, as the subject lines of the ledger say it."""

from __future__ import annotations

from gitcto.model.circuit_events import CircuitClosed, CircuitEventBody, CircuitOpened


def circuit_phrase(body: CircuitEventBody) -> str:
    """Return an event about a circuit in words."""
    if isinstance(body, CircuitOpened):
        return f"provider {body.provider} parked ({body.reason}: {body.detail})"
    if isinstance(body, CircuitClosed):
        return f"provider {body.provider} works again ({body.by or 'it was tried'})"
    return f"provider {body.provider} is tried by {body.execution}"
