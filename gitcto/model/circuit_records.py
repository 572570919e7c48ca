"""A provider's circuit: open while there is no use in asking it. Pure records.

After an ``auth`` or a ``quota`` fault every further run of an agent would meet the same: it costs
time and, with some providers, money. A circuit is the team's, so it holds for every run of it in
every clone. A provider without one, which is the rule, may be asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from gitcto.model.agent_records import Fault

TERMINAL = frozenset({"auth", "quota"})
"""Faults that open a circuit: nothing with this provider works until a person or time mends it."""

PASSING = frozenset({"rate", "model", "timeout", "protocol", "killed"})
"""Faults that pass by themselves, when they may be tried again: the provider's, not the task's."""


def is_terminal(fault: Fault | None) -> bool:
    """Tell whether a fault opens its provider's circuit."""
    return fault is not None and fault.kind in TERMINAL


def is_passing(fault: Fault | None) -> bool:
    """Tell whether a fault is a provider's that passes by itself."""
    return fault is not None and fault.kind in PASSING and fault.retryable


class Circuit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Why and until when a provider is asked for nothing.

    ``reason`` is the kind of the fault that opened it, or ``person``; ``until_ms`` is when one
    attempt, the ``probe``, may try it again (0: a person must close it). ``times`` counts how often
    it was opened without having been closed. ``execution`` is the one that met the fault.
    """

    reason: str
    detail: str = ""
    opened_ms: int = 0
    until_ms: int = 0
    times: int = 1
    execution: str = ""
    probe: str = ""

    def refuses(self, now_ms: int) -> bool:
        """Tell whether nobody may try it yet."""
        return not self.until_ms or now_ms < self.until_ms


def parked_until(circuits: Mapping[str, Circuit], now_ms: int) -> dict[str, int]:
    """Return the providers that nobody may try now, and until when (0: a person must say)."""
    return {name: circuit.until_ms for name, circuit in circuits.items() if circuit.refuses(now_ms)}
