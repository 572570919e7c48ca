"""How long a task waits after a provider's fault that passes by itself. Pure.

The wait is drawn evenly from nothing up to a bound that doubles with each fault ("full jitter"), so
that many tasks which met the same trouble do not come back at once. What is drawn comes from the
execution's id, whose last characters are random: whoever reads the ledger can draw it again.
"""

from __future__ import annotations

import hashlib

from gitcto.model.agent_records import Fault

_PARTS = 1 << 32


def wait_ms(fault: Fault, faults: int, execution: str, base_ms: int, most_ms: int) -> int:
    """Return how long to wait after a task's fault number ``faults`` + 1 (milliseconds).

    Never less than the provider said, and beyond that never more than ``most_ms``.
    """
    bound = min(most_ms, base_ms << min(faults, 32))
    return fault.retry_after_s * 1000 + bound * _drawn(execution) // _PARTS


def _drawn(execution: str) -> int:
    digest = hashlib.blake2b(execution.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")
