"""The one door to time and randomness; everything below ``cli`` receives it as an argument."""

from __future__ import annotations

import os
import sys
import time
from typing import Protocol

from gitcto.model.ids import ulid

CRASH_POINT = "gitcto.crash_point"
"""The name of the audit event that the real world raises at each named step."""


def day_of(now_ms: int) -> str:
    """Return the day in UTC (``YYYY-MM-DD``) of a time in milliseconds since the epoch."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()


class Effects(Protocol):
    """What the orchestrator asks of the world besides git, files and processes."""

    def now_ms(self) -> int:
        """Return wall-clock time in milliseconds since the epoch."""

    def monotonic_s(self) -> float:
        """Return a clock in seconds that never goes backwards."""

    def new_id(self) -> str:
        """Return a new ULID (26 lower-case characters)."""

    def pause(self, seconds: float) -> None:
        """Let that much time go by before something is tried again."""

    def crash_point(self, name: str) -> None:
        """Name a durable step; a crash test dies here."""


class SystemEffects:
    """The real clock and the operating system's randomness."""

    def now_ms(self) -> int:
        """Return wall-clock time in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Return the monotonic clock in seconds."""
        return time.monotonic()

    def new_id(self) -> str:
        """Return a new ULID made of the current time and 80 random bits."""
        return ulid(self.now_ms(), int.from_bytes(os.urandom(10), "big"))

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def crash_point(self, name: str) -> None:
        """Raise an audit event, which nobody hears but the crash harness."""
        sys.audit(CRASH_POINT, name)
