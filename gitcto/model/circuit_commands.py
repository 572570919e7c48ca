"""Commands about the circuits of providers: what a person says of them."""

from __future__ import annotations

from msgspec import Struct


class OpenCircuit(Struct, frozen=True, kw_only=True):
    """Ask nothing of a provider any more, until a time or (0) until a person closes it."""

    provider: str
    by: str
    detail: str = ""
    until_ms: int = 0


class CloseCircuit(Struct, frozen=True, kw_only=True):
    """Let a provider be asked again."""

    provider: str
    by: str


CircuitCommand = OpenCircuit | CloseCircuit
"""Commands about circuits, which quote no fencing token."""
