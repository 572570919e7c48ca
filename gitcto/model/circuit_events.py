"""Events about the circuits of providers."""

from __future__ import annotations

from gitcto.model.body import Body


class CircuitOpened(Body, frozen=True, kw_only=True, tag_field="kind", tag="circuit.opened"):
    """Nothing is to be asked of a provider; see :class:`gitcto.model.circuit_records.Circuit`.

    It is in the transaction of the ``step.ended`` whose fault opened it; or a person (``by``)
    opened it.
    """

    provider: str
    reason: str
    detail: str
    until_ms: int
    times: int
    execution: str = ""
    by: str = ""


class CircuitProbed(Body, frozen=True, kw_only=True, tag_field="kind", tag="circuit.probed"):
    """One attempt may try a provider whose time is over; until it has, nobody else may."""

    provider: str
    execution: str


class CircuitClosed(Body, frozen=True, kw_only=True, tag_field="kind", tag="circuit.closed"):
    """A provider may be asked again: its probe worked, or a person said so (``by``)."""

    provider: str
    execution: str = ""
    by: str = ""


CircuitEventBody = CircuitOpened | CircuitProbed | CircuitClosed
"""Every kind of event about circuits."""
